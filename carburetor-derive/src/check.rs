//! Judges a model: what contradicts itself, what is missing, what can't work.

use crate::attr::Role::{self, *};
use crate::mistakes::Mistakes;
use crate::model::{Column, Model, Other};
use syn::spanned::Spanned;

/// Roles that one column can't have together, and why.
const CONTRADICTIONS: &[(Role, Role, &str)] = &[
    (Skip, Id, "an id always travels"),
    (Skip, LastSyncedAt, "a stamp always travels"),
    (Skip, Deleted, "a deletion always travels"),
    (
        Skip,
        VisibleBy,
        "what decides who sees a row travels with it",
    ),
    (Skip, ReadOnly, "a skipped column never travels"),
    (Skip, Immutable, "a skipped column never travels"),
    (
        Skip,
        Local,
        "a skipped column is the server's, a local one the replica's",
    ),
    (Skip, Default, "a skipped field takes `Default::default()`"),
    (Skip, Fallback, "a skipped column never travels"),
    (Skip, Conflict, "a skipped column never travels"),
    (Local, Id, "an id always travels"),
    (Local, LastSyncedAt, "the server writes the stamp"),
    (Local, CreatedAt, "the server needs it for the stamp"),
    (Local, Deleted, "a deletion always travels"),
    (
        Local,
        VisibleBy,
        "the server needs it to decide who sees a row",
    ),
    (Local, ReadOnly, "the server has no local column"),
    (Local, Immutable, "the server has no local column"),
    (Local, Default, "a local field takes `Default::default()`"),
    (Local, Fallback, "nobody else writes a local column"),
    (Local, Conflict, "nobody else writes a local column"),
    (
        ReadOnly,
        Immutable,
        "a read-only column is not uploaded at all",
    ),
    (ReadOnly, Deleted, "an upload's deletion sets it"),
    (ReadOnly, Conflict, "an upload never writes it"),
    (Immutable, Deleted, "a deletion is an edit of it"),
    (Immutable, Conflict, "an edit never writes it"),
    (Id, LastSyncedAt, "a stamp changes with every write"),
    (Id, CreatedAt, "an id says which row, not when"),
    (Id, Deleted, "a deleted row keeps its id"),
    (Id, Conflict, "an edit never writes it"),
    (Id, Default, "every row names its own id"),
    (Id, Fallback, "two rows would have one id"),
    (
        LastSyncedAt,
        CreatedAt,
        "the one stands in where the other is NULL",
    ),
    (LastSyncedAt, Deleted, "a stamp is set while the row lives"),
    (LastSyncedAt, VisibleBy, "a stamp changes with every write"),
    (LastSyncedAt, Immutable, "a stamp changes with every write"),
    (LastSyncedAt, Default, "every row has its own stamp"),
    (LastSyncedAt, Fallback, "every row has its own stamp"),
    (LastSyncedAt, Conflict, "the server writes the stamp"),
    (CreatedAt, Deleted, "every row has been inserted"),
    (Deleted, Fallback, "a row is deleted or is not"),
];

/// Notes every mistake of `model`.
pub fn check(model: &Model, mistakes: &mut Mistakes) {
    for column in &model.columns {
        check_roles(column, mistakes);
        check_mapping(column, mistakes);
    }
    for other in &model.others {
        check_other(other, mistakes);
    }
    check_id(model, mistakes);
    check_stamp(model, mistakes);
    check_at_most_one(model, CreatedAt, mistakes);
    check_at_most_one(model, Deleted, mistakes);
    check_read_only(model, mistakes);
    check_untracked(model, mistakes);
    check_backends(model, mistakes);
    check_columns(model, mistakes);
}

fn check_roles(column: &Column, mistakes: &mut Mistakes) {
    for (one, other, why) in CONTRADICTIONS {
        if column.is(*one) && column.is(*other) {
            mistakes.add(
                column.place(*one),
                format!(
                    "`{}` and `{}` contradict each other: {why}",
                    one.word(),
                    other.word()
                ),
            );
        }
    }
}

fn check_other(other: &Other, mistakes: &mut Mistakes) {
    if let (Some((word, place)), None) =
        (&other.written.mapping.no_column, other.written.place(Skip))
    {
        let what = if word == "embed" {
            "several columns"
        } else {
            "an expression"
        };
        mistakes.add(
            *place,
            format!(
                "`{word}` makes the field {what}, and a synced field is one column: write its columns as fields, or mark it `#[sync(skip)]`"
            ),
        );
    }
}

fn check_mapping(column: &Column, mistakes: &mut Mistakes) {
    if let Some((word, place)) = &column.written.mapping.other_type
        && column.travels()
    {
        mistakes.add(
            *place,
            format!("`{word}` gives the column another type than the field: implement `FromSql` and `ToSql` for the field's own type, or mark it `#[sync(skip)]`"),
        );
    }
}

fn check_id(model: &Model, mistakes: &mut Mistakes) {
    if model.with(Id).next().is_none() {
        mistakes.add(
            model.ident.span(),
            "no id: mark the field of the primary key by `#[sync(id)]`, or several for a composite one",
        );
    }
    for column in model
        .with(Id)
        .filter(|column| column.inside_option().is_some())
    {
        mistakes.add(
            column.ty.span(),
            "an id is never NULL: declare the column NOT NULL, and write the field's type without `Option`",
        );
    }
}

fn check_stamp(model: &Model, mistakes: &mut Mistakes) {
    if model.with(LastSyncedAt).next().is_none() {
        mistakes.add(
            model.ident.span(),
            "no stamp: mark the field that tells when the server last wrote the row by `#[sync(last_synced_at)]`; the tracking's migration adds the column where the table lacks it",
        );
    }
    check_at_most_one(model, LastSyncedAt, mistakes);
}

fn check_at_most_one(model: &Model, role: Role, mistakes: &mut Mistakes) {
    for column in model.with(role).skip(1) {
        mistakes.add(
            column.place(role),
            format!(
                "a second `{}`: a row has one, mark the field that counts",
                role.word()
            ),
        );
    }
}

/// What says how a table is written, where no upload writes it.
fn check_read_only(model: &Model, mistakes: &mut Mistakes) {
    if model.container.read_only.is_none() {
        return;
    }
    if let Some(place) = model.container.online_only {
        mistakes.add(
            place,
            "`read_only` and `online_only` contradict each other: no replica writes the table, connected or not",
        );
    }
    let columns = model.columns.iter().map(|column| &column.written.conflict);
    for conflict in std::iter::once(&model.container.conflict)
        .chain(columns)
        .flatten()
    {
        mistakes.add(
            conflict.span(),
            "no upload writes a `read_only` table, so that there are no conflicts: remove `conflict`, or `read_only`",
        );
    }
}

fn check_untracked(model: &Model, mistakes: &mut Mistakes) {
    if !model.container.untracked {
        return;
    }
    if model.with(CreatedAt).next().is_none() {
        for stamp in model
            .with(LastSyncedAt)
            .filter(|stamp| stamp.inside_option().is_some())
        {
            mistakes.add(
                stamp.ty.span(),
                "an untracked table with a nullable stamp loses new rows, whose stamp is NULL: mark the field of their insert by `#[sync(created_at)]`, or remove `untracked`",
            );
        }
    }
    for column in model
        .with(VisibleBy)
        .filter(|column| !column.is(Immutable) && !column.is(Id))
    {
        mistakes.add(
            column.place(VisibleBy),
            "an untracked row that moves out of a scope can't be seen to leave: write `#[sync(visible_by, immutable)]` if it never moves, or remove `untracked`",
        );
    }
}

fn check_backends(model: &Model, mistakes: &mut Mistakes) {
    if let (Some(table), false) = (&model.container.sqlite_table, model.on_sqlite()) {
        mistakes.add(
            table.span(),
            "a table for SQLite, and `backends` leaves SQLite out: remove one of them",
        );
    }
    if let Some(table) = &model.container.sqlite_table
        && model.repeats_its_table()
    {
        mistakes.add(
            table.span(),
            "the table for SQLite is the model's own, which SQLite takes anyway: remove `sqlite(..)`",
        );
    }
    if let (Some(backends), true, false) = (
        model.container.backends,
        model.container.untracked,
        model.on_postgres(),
    ) {
        mistakes.add(
            backends.place,
            "`untracked` is for PostgreSQL, and `backends` leaves it out: a table on SQLite is always tracked",
        );
    }
}

fn check_columns(model: &Model, mistakes: &mut Mistakes) {
    for (at, column) in model.columns.iter().enumerate() {
        if model.columns[..at]
            .iter()
            .any(|earlier| earlier.ident == column.ident)
        {
            mistakes.add(
                column.field.span(),
                format!(
                    "a second field for the column `{}`: remove one",
                    column.ident
                ),
            );
        }
    }
}
