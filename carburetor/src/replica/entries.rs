//! The entries that a write makes in the outbox, as statements of a trigger.

use super::schema::LAST_CLOCK;
use super::stretch::{NOW, since};
use super::table::{ReplicaTable, no_stamp};
use crate::table::{ColumnDefinition, literal};
use crate::upload::unit;

/// The entries of a new row. Over an unsent deletion it becomes an insert, which the server takes for a row that it may have.
pub(super) fn insert(table: &ReplicaTable) -> String {
    let outbox = table.own("outbox");
    format!(
        "
  insert into {outbox} ({ids}, carburetor_column, carburetor_kind, carburetor_clock, carburetor_sent, carburetor_since, carburetor_stretch)
    values ({new}, '', 'insert', {LAST_CLOCK}, 0, {since}, {NOW}) {upsert}, carburetor_kind = 'insert', carburetor_was_at = null;
  delete from {outbox} where {same} and carburetor_column <> '' and carburetor_sent <> 1;",
        same = table.own_id("new"),
        since = since(table, "new"),
        ids = table.ids(""),
        new = table.ids("new."),
        upsert = upsert(table),
    )
}

/// What a later edit makes of an entry.
fn upsert(table: &ReplicaTable) -> String {
    format!(
        "on conflict ({}, carburetor_column) do update set carburetor_clock = excluded.carburetor_clock,
      carburetor_since = iif(carburetor_sent = 1, excluded.carburetor_since, min(carburetor_since, excluded.carburetor_since)),
      carburetor_stretch = excluded.carburetor_stretch, carburetor_sent = iif(carburetor_sent = 0, 0, 2)",
        table.ids("")
    )
}

/// The entries of the columns in which the row `new` differs from the row `old`, which comes `from` somewhere unless the trigger knows it.
pub(super) fn edit(table: &ReplicaTable, old: &str, from: &str) -> String {
    let outbox = table.own("outbox");
    let is_new = is_unsent_insert(table, "new");
    let base = base(table, old);
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
  update {outbox} set carburetor_clock = {LAST_CLOCK}, carburetor_stretch = {NOW}
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
  update {outbox} set carburetor_clock = {LAST_CLOCK}, carburetor_stretch = {NOW}
    where {same} and carburetor_column = '' and carburetor_kind = 'insert' and carburetor_sent <> 1;{unit_edit}
  insert into {outbox} ({ids}, carburetor_column, carburetor_kind, carburetor_clock, carburetor_base, carburetor_was, carburetor_sent, carburetor_since, carburetor_stretch)
    select {new}, edit.name, 'update', {LAST_CLOCK}, edit.base, edit.was, 0, {NOW}, {NOW} from ({edits}) as edit where not {is_new}
    {upsert};",
        same = table.own_id("new"),
        ids = table.ids(""),
        new = table.ids("new."),
        edits = edits.join("\n      union all "),
        upsert = upsert(table),
    )
}

/// What the entry of an insert holds once the server has shown a row of that id: whoever deletes the row then deletes the server's, too. It stays an insert
/// on no base, because it was made without having seen that row.
pub(super) const MET: &str = "carburetor_was = 1";

/// The entries of the old row, which is gone: none at all where the server was never told of it, and has none.
pub(super) fn remove(table: &ReplicaTable) -> String {
    let outbox = table.own("outbox");
    let same = table.own_id("old");
    let base = base(table, "old");
    let never_sent = never_sent(table);
    format!(
        "
  insert into {outbox} ({ids}, carburetor_column, carburetor_kind, carburetor_clock, carburetor_base, carburetor_sent, carburetor_since, carburetor_stretch)
    select {old}, '', 'delete', {LAST_CLOCK}, {base}, 0, {since}, {NOW} where not exists (select 1 from {outbox} where {never_sent})
    {upsert}, carburetor_kind = 'delete';
  delete from {outbox} where {same} and carburetor_column <> '' and carburetor_sent <> 1;
  delete from {outbox} where {never_sent};",
        since = since(table, "old"),
        ids = table.ids(""),
        old = table.ids("old."),
        upsert = upsert(table),
    )
}

/// That an entry is of the old row, of which the server was never told, and has none.
pub(super) fn never_sent(table: &ReplicaTable) -> String {
    format!(
        "{} and carburetor_column = '' and carburetor_kind = 'insert' and carburetor_base is null and carburetor_was is null and carburetor_sent = 0",
        table.own_id("old")
    )
}

/// The column changed, other than by its collation's rules.
pub(super) fn unlike(column: &ColumnDefinition, old: &str) -> String {
    format!("{old}.{0} is not new.{0} collate binary", column.quoted())
}

pub(super) fn any_unlike<'a>(
    columns: impl Iterator<Item = &'a ColumnDefinition>,
    old: &str,
) -> String {
    let unlike: Vec<String> = columns.map(|column| unlike(column, old)).collect();
    match unlike.is_empty() {
        true => "false".into(),
        false => format!("({})", unlike.join(" or ")),
    }
}

/// Whether this row has an entry in the outbox that the server was never sent.
pub(super) fn is_unsent_insert(table: &ReplicaTable, row: &str) -> String {
    format!(
        "exists (select 1 from {} where {} and carburetor_column = '' and carburetor_kind = 'insert' and carburetor_sent <> 1)",
        table.own("outbox"),
        table.own_id(row)
    )
}

/// The stamp of the row on which an edit is made; NULL where the server has given none.
pub(super) fn base(table: &ReplicaTable, row: &str) -> String {
    match table.stamp() {
        Some(_) if table.is_hub => format!(
            "(select stamp from {} as upstream where {})",
            table.own("upstream"),
            table.same_id("upstream", row)
        ),
        Some(stamp) => format!(
            "nullif({row}.{}, {})",
            stamp.quoted(),
            no_stamp(stamp.storage)
        ),
        None => "null".into(),
    }
}
