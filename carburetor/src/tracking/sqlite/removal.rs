//! The removal table, and the triggers that fill it.
//!
//! REPLACE deletes rows without firing a delete trigger (unless `pragma recursive_triggers` is on). So BEFORE triggers
//! write a removal for every row that shares the new id or a unique key. They can't know how the conflict ends: when it
//! is ignored or becomes an upsert, the removal stays although the row does. A download leaves it out, because the
//! row is visible to whoever would be told of it. The clocks of such deletions wait until the conflict has ended.

use super::clock::advance;
use super::register::delete_old;
use super::replaced::{keep_replaced, replaced_triggers};
use super::surroundings::TrackedTable;
use crate::table::{ColumnDefinition, TableDefinition, quoted};

/// The triggers that write removals, without the table's name.
pub(super) const REMOVAL_TRIGGERS: [&str; 4] = [
    "removal_delete",
    "removal_move",
    "replace_insert",
    "replace_update",
];

/// The columns of the removal table besides its instant: the ids, then what is visible by and no id.
pub(super) fn removal_columns(table: &TableDefinition) -> impl Iterator<Item = &ColumnDefinition> {
    table
        .ids()
        .chain(table.visible_by().filter(|column| !column.id))
}

/// The removal table with its two indexes.
///
/// CREATE TABLE AS takes the affinities over, so that a scope compares the same way here as on the table.
pub(super) fn removal_table(table: &TrackedTable) -> String {
    let columns = list(removal_columns(&table.definition), "");
    let removal = quoted(&table.object("removal"));
    let mut text = format!(
        "create table if not exists {removal} as
  select {columns}, cast(0 as integer) as carburetor_removed_at from {} where 0;\n",
        table.name()
    );
    for (_, index) in removal_indexes(table) {
        text += &if_missing(&index);
        text += ";\n";
    }
    text
}

/// `index`, the text of its creation, where it doesn't exist.
pub(super) fn if_missing(index: &str) -> String {
    index.replacen("index ", "index if not exists ", 1)
}

/// Name and text of the removal table's indexes.
pub(super) fn removal_indexes(table: &TrackedTable) -> [(String, String); 2] {
    let removal = quoted(&table.object("removal"));
    let by_id = table.object("gone_id");
    let by_time = table.object("gone_at");
    let unique = format!(
        "create unique index {} on {removal} ({})",
        quoted(&by_id),
        list(removal_columns(&table.definition), "")
    );
    let time = format!(
        "create index {} on {removal} (carburetor_removed_at, {})",
        quoted(&by_time),
        list(table.definition.ids(), "")
    );
    [(by_id, unique), (by_time, time)]
}

/// Name and text of every trigger that writes removals.
pub(super) fn removal_triggers(table: &TrackedTable) -> Vec<(String, String)> {
    let [delete, moved, insert, update] = REMOVAL_TRIGGERS.map(|what| table.object(what));
    let keys = keys(table);
    let updates = updates_of(table, &keys);
    let mut triggers = vec![
        (delete.clone(), on_delete(table, &delete)),
        (moved.clone(), on_move(table, &moved)),
        (insert.clone(), on_replacing_insert(table, &insert)),
        (
            update.clone(),
            on_replacing_update(table, &update, &updates, &keys),
        ),
    ];
    triggers.extend(replaced_triggers(table, &updates));
    triggers
}

fn on_delete(table: &TrackedTable, name: &str) -> String {
    format!(
        "create trigger {} after delete on {}\nbegin\n{}{}\nend",
        quoted(name),
        table.name(),
        remove_old(table),
        delete_old(table, "true"),
    )
}

fn on_move(table: &TrackedTable, name: &str) -> String {
    format!(
        "create trigger {} after update of {} on {}\nwhen {}\nbegin\n{}{}\nend",
        quoted(name),
        named_in_updates(removal_columns(&table.definition).map(|column| column.name.as_str())),
        table.name(),
        differs(removal_columns(&table.definition), "old"),
        remove_old(table),
        delete_old(table, &differs(table.definition.ids(), "old")),
    )
}

/// An upsert of the table's unique index would do, but for NULLs, which it takes as different.
fn remove_old(table: &TrackedTable) -> String {
    let columns = || removal_columns(&table.definition);
    let removal = quoted(&table.object("removal"));
    format!(
        "  {advance}
  delete from {removal} where {same};
  insert into {removal} ({names}, carburetor_removed_at) select {old}, now from carburetor_clock;",
        advance = advance(),
        same = same(columns(), None, "old"),
        names = list(columns(), ""),
        old = list(columns(), "old."),
    )
}

/// The names by which an update may change `columns`. An update that names none of them doesn't even look at such a trigger.
fn named_in_updates<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    columns
        .chain(["rowid", "oid", "_rowid_"])
        .map(quoted)
        .collect::<Vec<_>>()
        .join(", ")
}

fn on_replacing_insert(table: &TrackedTable, name: &str) -> String {
    let replaced = replaced(table);
    replacing(table, name, "insert", None, &replaced)
}

/// The columns by which a row may replace another.
fn keys(table: &TrackedTable) -> Vec<&str> {
    let mut keys: Vec<&str> = table.definition.ids().map(|id| id.name.as_str()).collect();
    let unique = table.surroundings.unique_keys.iter();
    for column in unique.flat_map(|key| &key.columns) {
        if !keys.contains(&column.name.as_str()) {
            keys.push(&column.name);
        }
    }
    keys
}

/// The updates by which a row may replace another. An update doesn't name the generated columns that it changes.
fn updates_of(table: &TrackedTable, keys: &[&str]) -> String {
    let is_generated = |key: &&str| {
        let mut generated = table.surroundings.generated.iter();
        generated.any(|name| name.eq_ignore_ascii_case(key))
    };
    if keys.iter().any(is_generated) {
        "update".to_owned()
    } else {
        format!("update of {}", named_in_updates(keys.iter().copied()))
    }
}

fn on_replacing_update(table: &TrackedTable, name: &str, updates: &str, keys: &[&str]) -> String {
    let moved: Vec<String> = keys
        .iter()
        .map(|key| format!("old.{0} is not new.{0}", quoted(key)))
        .collect();
    let others = format!(
        "{} and not ({})",
        replaced(table),
        same(table.definition.ids(), Some("held"), "old")
    );
    replacing(table, name, updates, Some(&moved.join(" or ")), &others)
}

fn replacing(
    table: &TrackedTable,
    name: &str,
    event: &str,
    unless_kept: Option<&str>,
    replaced: &str,
) -> String {
    let columns = || removal_columns(&table.definition);
    let removal = quoted(&table.object("removal"));
    let left: Vec<String> = columns()
        .map(|column| format!("gone.{0} is held.{0}", column.quoted()))
        .collect();
    let left = left.join(" and ");
    let guard = unless_kept
        .map(|moved| format!("({moved})\n  and "))
        .unwrap_or_default();
    format!(
        "create trigger {name} before {event} on {table}
when {guard}exists (select 1 from {table} as held where {replaced})
begin
  {advance}
  delete from {removal} where rowid in (
    select gone.rowid from {table} as held join {removal} as gone on {left}
    where {replaced});
  insert into {removal} ({names}, carburetor_removed_at)
    select {held}, carburetor_clock.now from {table} as held, carburetor_clock
    where {replaced};{kept}
end",
        name = quoted(name),
        table = table.name(),
        advance = advance(),
        names = list(columns(), ""),
        held = list(columns(), "held."),
        kept = keep_replaced(table, &left, replaced),
    )
}

/// The rows `held` that `new` would replace, but for the one that stays visible to the same callers under the same id.
fn replaced(table: &TrackedTable) -> String {
    let mut keys: Vec<String> = Vec::new();
    let id: Vec<String> = table
        .definition
        .ids()
        .map(|column| format!("held.{0} = new.{0}", column.quoted()))
        .collect();
    keys.push(id.join(" and "));
    for key in &table.surroundings.unique_keys {
        let columns: Vec<String> = key
            .columns
            .iter()
            .map(|column| {
                let name = quoted(&column.name);
                match column.collation.as_str() {
                    "BINARY" => format!("held.{name} = new.{name}"),
                    collation => format!("held.{name} = new.{name} collate {}", quoted(collation)),
                }
            })
            .collect();
        let key = columns.join(" and ");
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let any: Vec<String> = keys.iter().map(|key| format!("({key})")).collect();
    let gone: Vec<String> = removal_columns(&table.definition)
        .map(|column| format!("held.{0} is not new.{0}", column.quoted()))
        .collect();
    format!("({}) and ({})", any.join(" or "), gone.join(" or "))
}

/// Whether `columns` of the row (of `row`, if it needs a name) equal those of `other`, NULLs included.
pub(crate) fn same<'a>(
    columns: impl Iterator<Item = &'a ColumnDefinition>,
    row: Option<&str>,
    other: &str,
) -> String {
    let row = row.map(|row| format!("{row}.")).unwrap_or_default();
    let equal: Vec<String> = columns
        .map(|column| format!("{row}{0} is {other}.{0}", column.quoted()))
        .collect();
    equal.join(" and ")
}

/// Whether any of `columns` of the row `old` is other than that of `new`.
pub(crate) fn differs<'a>(
    columns: impl Iterator<Item = &'a ColumnDefinition>,
    old: &str,
) -> String {
    let differ: Vec<String> = columns
        .map(|column| format!("{old}.{0} is not new.{0}", column.quoted()))
        .collect();
    format!("({})", differ.join(" or "))
}

/// The names of `columns`, each behind `prefix`.
pub(crate) fn list<'a>(
    columns: impl Iterator<Item = &'a ColumnDefinition>,
    prefix: &str,
) -> String {
    columns
        .map(|column| format!("{prefix}{}", column.quoted()))
        .collect::<Vec<_>>()
        .join(", ")
}
