//! The triggers that write what a program edits into the outbox.
//!
//! They fire on whoever's connection, so that ordinary Diesel is all that a program needs. A row that the server has never heard of has one entry,
//! that of its existence; any other row has one per edited column. A later edit moves an entry's clock and keeps what the column held before.
//!
//! REPLACE deletes a row without firing a delete trigger (unless `pragma recursive_triggers` is on). So a BEFORE trigger keeps the row that is
//! about to be replaced in the table `held`, and the insert becomes an edit of the columns that differ.
//!
//! On a hub, what an upload of a device writes is no edit of the program's: it writes the registers, too, by which such a write is told.

use super::entries::{any_unlike, edit, insert, is_unsent_insert, remove, unlike};
use super::moved;
use super::relay;
use super::schema::tick;
use super::table::ReplicaTable;
use crate::table::{ColumnDefinition, TableDefinition, literal, quoted};
use crate::tracking::sqlite::{differs, list};

/// The name and the text of every trigger that the table has.
pub(super) fn triggers(table: &ReplicaTable) -> Vec<(String, String)> {
    match table.takes_no_writes() {
        true => named(table, refusals(table, downloaded_only(table))),
        false => named(table, recorders(table)),
    }
}

/// The same while the file is nobody's, who has no edits.
pub(super) fn nobodys(table: &ReplicaTable) -> Vec<(String, String)> {
    let remedy =
        "is nobody's since its account signed out: open the replica for an account, and write then";
    named(table, refusals(table, remedy))
}

fn named(table: &ReplicaTable, triggers: Vec<Trigger>) -> Vec<(String, String)> {
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

pub(super) type Trigger = (&'static str, &'static str, Option<String>, String);

/// Whether the write is a program's, and is to be uploaded.
pub(super) const RECORDING: &str =
    "(select not applying and not untracked from carburetor_replica)";

/// What records each write.
fn recorders(table: &ReplicaTable) -> Vec<Trigger> {
    let mut triggers: Vec<Trigger> = vec![
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
    ];
    if table.is_hub {
        for (_, event, condition, _) in &mut triggers {
            let by_program = relay::by_program(event);
            let all = condition.take().into_iter().chain(by_program);
            *condition = all.reduce(|one, other| format!("{other} and {one}"));
        }
        triggers.extend(relay::recorders(table));
    }
    triggers
}

/// Why a table takes no writes from replicas.
fn downloaded_only(table: &ReplicaTable) -> &'static str {
    match table.definition.online_only {
        true => "is written online only: send the write to the server, and sync",
        false => "is downloaded only: write it on the server, and sync",
    }
}

/// Every write of the table, but for its local columns.
fn refusals(table: &ReplicaTable, remedy: &str) -> Vec<Trigger> {
    let definition = table.definition;
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
    format!(
        "{}\n  {}{}\n{}{}\n{}",
        moved::begin(table),
        tick(),
        remove(table),
        tick(),
        insert(table),
        moved::end(table)
    )
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
