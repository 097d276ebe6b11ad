//! The clocks of the deletions that come with REPLACE.
//!
//! Only before the statement are the registers of a row there that it may replace, and only after it is said whether it did: when the conflict is
//! ignored or becomes an upsert, the row stays, and a deletion noted of it would beat the edits that were made before. So the BEFORE trigger keeps
//! the clock in `carburetor_replaced`, and the AFTER trigger, which no ignored conflict fires, notes the deletions of those rows that are gone.
//!
//! What stays there belongs to this statement or is of no use: `julianday('now')` is constant within one.

use super::register::{next_clock, noted, raise};
use super::removal::{differs, list, removal_columns, same};
use super::surroundings::TrackedTable;
use crate::register::COLUMN;
use crate::table::{literal, quoted};

/// The triggers that note the deletions of replaced rows, without the table's name.
pub(super) const REPLACED_TRIGGERS: [&str; 2] = ["replaced_insert", "replaced_update"];

/// The table of the clocks, and its index: by the removal that was written of the row.
pub(super) const REPLACED_TABLE: &str = "create table if not exists carburetor_replaced (
  at real not null,
  name text not null,
  removal integer not null,
  clock text not null
);
create index if not exists carburetor_replaced_at on carburetor_replaced (at, name);
";

/// Whether one row of `table` can replace another with a different id.
fn replaces_others(table: &TrackedTable) -> bool {
    let ids: Vec<&str> = table.definition.ids().map(|id| id.name.as_str()).collect();
    let keys = &table.surroundings.unique_keys;
    table.definition.has_registers()
        && keys.iter().any(|key| {
            let is_plain = |id: &&str| {
                let mut columns = key.columns.iter();
                columns.any(|column| column.name == **id && column.collation == "BINARY")
            };
            !ids.iter().all(is_plain)
        })
}

/// The statements that keep the clocks of the rows `held` for which `condition` holds and whose removals are `gone` by `left`.
pub(super) fn keep_replaced(table: &TrackedTable, left: &str, condition: &str) -> String {
    if !replaces_others(table) {
        return String::new();
    }
    format!(
        "
  delete from carburetor_replaced where at < julianday('now');
  insert into carburetor_replaced (at, name, removal, clock)
    select julianday('now'), {name}, gone.rowid, {clock}
    from carburetor_clock, {table} as held join {removal} as gone on {left}
    where {condition} and {other_id};",
        name = literal(&table.definition.table),
        clock = next_clock(&format!("held.{COLUMN}")),
        table = table.name(),
        removal = quoted(&table.object("removal")),
        other_id = differs(table.definition.ids(), "held"),
    )
}

/// Name and text of the triggers that note the deletions; `updates` is what an update has to be for it to replace rows.
pub(super) fn replaced_triggers(table: &TrackedTable, updates: &str) -> Vec<(String, String)> {
    if !replaces_others(table) {
        return Vec::new();
    }
    let events = ["insert", updates];
    let named = REPLACED_TRIGGERS.iter().zip(events);
    named
        .map(|(what, event)| {
            let name = table.object(what);
            let text = trigger(table, &name, event);
            (name, text)
        })
        .collect()
}

fn trigger(table: &TrackedTable, name: &str, event: &str) -> String {
    let columns = || removal_columns(&table.definition);
    let kept = format!(
        "at = julianday('now') and name = {}",
        literal(&table.definition.table)
    );
    let gone = format!(
        "from carburetor_replaced join {removal} as gone on gone.rowid = carburetor_replaced.removal
    where {kept} and not exists (select 1 from {table} as held where {same})",
        removal = quoted(&table.object("removal")),
        table = table.name(),
        same = same(table.definition.ids(), Some("held"), "gone"),
    );
    let values = format!(
        "{}, carburetor_replaced.clock {gone}",
        list(columns(), "gone.")
    );
    format!(
        "create trigger {name} after {event} on {table}
when exists (select 1 from carburetor_replaced where {kept})
begin{noted}
  {raise}
  delete from carburetor_replaced where {kept};
end",
        name = quoted(name),
        table = table.name(),
        noted = noted(table, &values),
        raise = raise(&format!("select max(carburetor_replaced.clock) {gone}")),
    )
}
