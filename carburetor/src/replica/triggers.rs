//! The triggers that write what a program edits into the outbox.
//!
//! They fire on whoever's connection, so that ordinary Diesel is all that a program needs. A row that the server has never heard of has one entry,
//! that of its existence; any other row has one per edited column. A later edit moves an entry's clock and keeps what the column held before.
//!
//! REPLACE deletes a row without firing a delete trigger (unless `pragma recursive_triggers` is on). So a BEFORE trigger keeps the row that is
//! about to be replaced in the table `held`, and the insert becomes an edit of the columns that differ.

use super::schema::{LAST_CLOCK, tick};
use super::table::{ReplicaTable, no_stamp};
use crate::table::{ColumnDefinition, TableDefinition, literal, quoted};
use crate::tracking::sqlite::{differs, list};
use crate::upload::unit;

/// The name and the text of every trigger that the table has.
pub(super) fn triggers(table: &ReplicaTable) -> Vec<(String, String)> {
    let triggers = match table.takes_no_writes() {
        true => refusals(table),
        false => vec![
            ("hold", "before insert", Some(holds(table)), hold(table)),
            (
                "insert",
                "after insert",
                Some(format!("not {}", is_held(table))),
                tick() + &insert(table),
            ),
            (
                "replace",
                "after insert",
                Some(is_held(table)),
                replace(table),
            ),
            ("refuse", "before update", None, refuse(table)),
            (
                "update",
                "after update",
                Some(is_edited(table)),
                update(table),
            ),
            (
                "move",
                "after update",
                Some(differs(table.definition.ids(), "old")),
                moved(table),
            ),
            ("delete", "after delete", None, delete(table)),
        ],
    };
    let named = triggers.into_iter().filter(|(.., body)| !body.is_empty());
    named
        .map(|(kind, event, condition, body)| {
            let name = table.object(&format!("replica_{kind}"));
            let condition = condition
                .map(|condition| format!(" and {condition}"))
                .unwrap_or_default();
            // SQLite writes these two words in capitals when it keeps the text.
            let text = format!(
                "CREATE TRIGGER {} {event} on {} when {RECORDING}{condition}\nbegin\n{body}\nend",
                quoted(&name),
                table.name(),
            );
            (name, text)
        })
        .collect()
}

type Trigger = (&'static str, &'static str, Option<String>, String);

/// Whether the write is a program's, and is to be uploaded.
const RECORDING: &str = "(select not applying and not untracked from carburetor_replica)";

/// Every write of a table that takes none from replicas, but for its local columns.
fn refusals(table: &ReplicaTable) -> Vec<Trigger> {
    let definition = table.definition;
    let remedy = match definition.online_only {
        true => "is written online only: send the write to the server, and sync",
        false => "is downloaded only: write it on the server, and sync",
    };
    let raise = format!(
        "  select raise(abort, {});",
        literal(&format!("{} {remedy}", definition.table))
    );
    vec![
        ("insert", "before insert", None, raise.clone()),
        (
            "update",
            "before update",
            Some(differs(definition.downloaded(), "old")),
            raise.clone(),
        ),
        ("delete", "before delete", None, raise),
    ]
}

/// Whether this row has an entry in the outbox that the server was never sent.
fn is_unsent_insert(table: &ReplicaTable, row: &str) -> String {
    format!(
        "exists (select 1 from {} where {} and carburetor_column = '' and carburetor_kind = 'insert' and carburetor_sent <> 1)",
        table.own("outbox"),
        table.own_id(row)
    )
}

fn is_held(table: &ReplicaTable) -> String {
    format!(
        "exists (select 1 from {} as held where {})",
        table.own("held"),
        table.same_id("held", "new")
    )
}

fn holds(table: &ReplicaTable) -> String {
    format!(
        "(exists (select 1 from {}) or exists (select 1 from {} as held where {}))",
        table.own("held"),
        table.name(),
        equal_ids(table, "held", "new"),
    )
}

/// As `same_id`, by the comparison that an index answers whatever the planner thinks of NULL.
fn equal_ids(table: &ReplicaTable, one: &str, other: &str) -> String {
    let equal: Vec<String> = table
        .definition
        .ids()
        .map(|id| format!("{one}.{0} = {other}.{0}", id.quoted()))
        .collect();
    equal.join(" and ")
}

/// At most one row is held: the next insert forgets it.
fn hold(table: &ReplicaTable) -> String {
    let held = table.own("held");
    format!(
        "  delete from {held};\n  insert into {held} ({columns}) select {columns} from {name} as held where {same};",
        columns = table.columns(""),
        name = table.name(),
        same = equal_ids(table, "held", "new"),
    )
}

/// The entries of a new row. Over an unsent deletion it becomes an insert, which the server takes for a row that it may have.
fn insert(table: &ReplicaTable) -> String {
    let outbox = table.own("outbox");
    format!(
        "
  delete from {outbox} where {same} and carburetor_column <> '' and carburetor_sent <> 1;
  insert into {outbox} ({ids}, carburetor_column, carburetor_kind, carburetor_clock, carburetor_sent)
    values ({new}, '', 'insert', {LAST_CLOCK}, 0) {upsert}, carburetor_kind = 'insert';",
        same = table.own_id("new"),
        ids = table.ids(""),
        new = table.ids("new."),
        upsert = upsert(table),
    )
}

/// What a later edit makes of an entry.
fn upsert(table: &ReplicaTable) -> String {
    format!(
        "on conflict ({}, carburetor_column) do update set carburetor_clock = excluded.carburetor_clock, carburetor_sent = iif(carburetor_sent = 0, 0, 2)",
        table.ids("")
    )
}

/// The column changed, other than by its collation's rules.
fn unlike(column: &ColumnDefinition, old: &str) -> String {
    format!("{old}.{0} is not new.{0} collate binary", column.quoted())
}

fn any_unlike<'a>(columns: impl Iterator<Item = &'a ColumnDefinition>, old: &str) -> String {
    let unlike: Vec<String> = columns.map(|column| unlike(column, old)).collect();
    match unlike.is_empty() {
        true => "false".into(),
        false => format!("({})", unlike.join(" or ")),
    }
}

fn is_edited(table: &ReplicaTable) -> String {
    format!(
        "not {} and {}",
        differs(table.definition.ids(), "old"),
        any_unlike(table.edited(), "old")
    )
}

/// Columns that an edit may not change.
fn refuse(table: &ReplicaTable) -> String {
    let definition = table.definition;
    let raise = |column: &ColumnDefinition, why: &str, unless: &str| {
        let message = literal(&format!("{}.{} {why}", definition.table, column.name));
        format!(
            "  select raise(abort, {message}) where {}{unless};\n",
            unlike(column, "old")
        )
    };
    let read_only = table
        .values()
        .filter(|column| column.read_only)
        .map(|column| {
            raise(
                column,
                "is downloaded only: write it on the server, and sync",
                "",
            )
        });
    let unless_new = format!(" and not {}", is_unsent_insert(table, "old"));
    let immutable = immutable(definition).map(|column| {
        raise(
            column,
            "is written by an insert only: delete the row and insert another",
            &unless_new,
        )
    });
    read_only.chain(immutable).collect()
}

fn immutable(definition: &TableDefinition) -> impl Iterator<Item = &ColumnDefinition> {
    definition
        .registered()
        .filter(|column| column.immutable && !column.read_only)
}

fn update(table: &ReplicaTable) -> String {
    tick() + &edit(table, "old", "")
}

/// The entries of the columns in which the row `new` differs from the row `old`, which comes `from` somewhere unless the trigger knows it.
fn edit(table: &ReplicaTable, old: &str, from: &str) -> String {
    let outbox = table.own("outbox");
    let is_new = is_unsent_insert(table, "new");
    let base = match table.stamp() {
        Some(stamp) => format!(
            "nullif({old}.{}, {})",
            stamp.quoted(),
            no_stamp(stamp.storage)
        ),
        None => "null".into(),
    };
    let condition = match from {
        "" => String::new(),
        _ => format!("{} and ", table.same_id(old, "new")),
    };
    let edits: Vec<String> = table
        .edited()
        .map(|column| {
            format!(
                "select {} as name, {old}.{} as was, {base} as base{from} where {condition}{}",
                literal(&column.name),
                column.quoted(),
                unlike(column, old)
            )
        })
        .collect();
    let together = unit(table.definition);
    let names: Vec<String> = unit(table.definition)
        .map(|column| literal(&column.name))
        .collect();
    let is_unit_edited = match from {
        "" => any_unlike(together, old),
        _ => format!(
            "exists (select 1{from} where {condition}{})",
            any_unlike(together, old)
        ),
    };
    let unit_edit = match names.is_empty() {
        true => String::new(),
        // They win or lose as one, so that they travel as one.
        false => format!(
            "
  update {outbox} set carburetor_clock = {LAST_CLOCK}
    where {same} and carburetor_column in ({}) and carburetor_sent <> 1 and {is_unit_edited};",
            names.join(", "),
            same = table.own_id("new"),
        ),
    };
    if edits.is_empty() {
        return String::new();
    }
    format!(
        "
  update {outbox} set carburetor_clock = {LAST_CLOCK}
    where {same} and carburetor_column = '' and carburetor_kind = 'insert' and carburetor_sent <> 1;{unit_edit}
  insert into {outbox} ({ids}, carburetor_column, carburetor_kind, carburetor_clock, carburetor_base, carburetor_was, carburetor_sent)
    select {new}, edit.name, 'update', {LAST_CLOCK}, edit.base, edit.was, 0 from ({edits}) as edit where not {is_new}
    {upsert};",
        same = table.own_id("new"),
        ids = table.ids(""),
        new = table.ids("new."),
        edits = edits.join("\n      union all "),
        upsert = upsert(table),
    )
}

/// A row that replaced another one of its id: an edit, which keeps what only the server writes.
fn replace(table: &ReplicaTable) -> String {
    let from = format!(" from {} as held", table.own("held"));
    let unless_new = format!("not {}", is_unsent_insert(table, "new"));
    let refused: String = immutable(table.definition)
        .map(|column| {
            format!(
                "  select raise(abort, {}){from} where {} and {} and {unless_new};\n",
                literal(&format!(
                    "{}.{} is written by an insert only: delete the row and insert another",
                    table.definition.table, column.name
                )),
                table.same_id("held", "new"),
                unlike(column, "held"),
            )
        })
        .collect();
    let kept: Vec<&ColumnDefinition> = table
        .stamp()
        .into_iter()
        .chain(table.values().filter(|column| column.read_only))
        .collect();
    let restored = match kept.is_empty() {
        true => String::new(),
        false => format!(
            "
  update carburetor_replica set applying = 1;
  update {name} set ({columns}) = (select {columns}{from}) where {same};
  update carburetor_replica set applying = 0;",
            name = table.name(),
            columns = list(kept.iter().copied(), ""),
            same = table.own_id("new"),
        ),
    };
    format!(
        "{refused}{}{}{restored}",
        tick(),
        edit(table, "held", &from)
    )
}

/// Another id is another row.
fn moved(table: &ReplicaTable) -> String {
    format!("{}{}\n{}{}", tick(), remove(table), tick(), insert(table))
}

fn delete(table: &ReplicaTable) -> String {
    // With recursive triggers this may be a REPLACE at work, whose insert is one then.
    format!(
        "  delete from {};\n{}{}",
        table.own("held"),
        tick(),
        remove(table)
    )
}

/// The entries of the old row, which is gone: none at all where the server was never told of it.
fn remove(table: &ReplicaTable) -> String {
    let outbox = table.own("outbox");
    let same = table.own_id("old");
    let base = match table.stamp() {
        Some(stamp) => format!(
            "nullif(old.{}, {})",
            stamp.quoted(),
            no_stamp(stamp.storage)
        ),
        None => "null".into(),
    };
    let never_sent = format!(
        "{same} and carburetor_column = '' and carburetor_kind = 'insert' and carburetor_base is null and carburetor_sent = 0"
    );
    format!(
        "
  delete from {outbox} where {same} and carburetor_column <> '' and carburetor_sent <> 1;
  insert into {outbox} ({ids}, carburetor_column, carburetor_kind, carburetor_clock, carburetor_base, carburetor_sent)
    select {old}, '', 'delete', {LAST_CLOCK}, {base}, 0 where not exists (select 1 from {outbox} where {never_sent})
    {upsert}, carburetor_kind = 'delete';
  delete from {outbox} where {never_sent};",
        ids = table.ids(""),
        old = table.ids("old."),
        upsert = upsert(table),
    )
}
