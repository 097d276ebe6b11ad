//! On a hub: the changes of its devices, which go on to the server with their own clocks.
//!
//! An upload of a device writes rows and registers, and its changes into `carburetor_relay`. They wait to be sent beside the program's own, and what
//! they wrote has entries as in flight, so that it stays on top of what the server shows until it has answered.

use super::entries::{any_unlike, base, is_unsent_insert, unlike};
use super::error::ReplicaError;
use super::file::Store;
use super::hub;
use super::query::{self, BIND, Bind};
use super::sending::Sending;
use super::table::ReplicaTable;
use super::triggers::{RECORDING, Trigger};
use crate::clock::Clock;
use crate::outcome::Outcome;
use crate::register::{COLUMN, column_sql};
use crate::table::{literal, quoted};
use crate::wire::WireError;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// That a write of this event is the program's and not an upload's.
pub(super) fn by_program(event: &str) -> Option<String> {
    match event.rsplit(' ').next() {
        Some("insert") => Some(format!("new.{COLUMN} is null")),
        Some("update") => Some(format!("old.{COLUMN} is new.{COLUMN}")),
        _ => None,
    }
}

/// What records the writes of uploads. A deletion's clock is written after the deletion: [`deletion`] takes it.
pub(super) fn recorders(table: &ReplicaTable) -> [Trigger; 2] {
    let is_upload = format!("old.{COLUMN} is not new.{COLUMN}");
    [
        (
            "relay_insert",
            "after insert",
            Some(format!("new.{COLUMN} is not null")),
            insert(table),
        ),
        (
            "relay_update",
            "after update",
            Some(format!(
                "{is_upload} and {}",
                any_unlike(table.edited(), "old")
            )),
            update(table),
        ),
    ]
}

fn insert(table: &ReplicaTable) -> String {
    format!(
        "  delete from {outbox} where {same} and carburetor_column <> '';
  insert into {outbox} ({ids}, carburetor_column, carburetor_kind, carburetor_clock, carburetor_sent)
    values ({new}, '', 'insert', new.{COLUMN} ->> '$.\"\"', 1)
    on conflict ({ids}, carburetor_column) do update set carburetor_clock = excluded.carburetor_clock, carburetor_kind = 'insert', carburetor_sent = 1;",
        outbox = table.own("outbox"),
        same = table.own_id("new"),
        ids = table.ids(""),
        new = table.ids("new."),
    )
}

/// A row that the program inserted and nobody has sent yet goes as it is now, and needs no more entries.
fn update(table: &ReplicaTable) -> String {
    let registers = format!("new.{COLUMN}");
    let edits: Vec<String> = table
        .edited()
        .map(|column| {
            format!(
                "select {} as name, old.{} as was, {} as clock where {}",
                literal(&column.name),
                column.quoted(),
                column_sql(&registers, &column.name),
                unlike(column, "old")
            )
        })
        .collect();
    format!(
        "  insert into {outbox} ({ids}, carburetor_column, carburetor_kind, carburetor_clock, carburetor_base, carburetor_was, carburetor_sent)
    select {new}, edit.name, 'update', edit.clock, {base}, edit.was, 1 from ({edits}) as edit where not {is_new}
    on conflict ({ids}, carburetor_column) do update set carburetor_clock = excluded.carburetor_clock, carburetor_sent = 1;",
        outbox = table.own("outbox"),
        ids = table.ids(""),
        new = table.ids("new."),
        base = base(table, "old"),
        edits = edits.join("\n      union all "),
        is_new = is_unsent_insert(table, "new"),
    )
}

/// Makes what stands on other tables than the group's.
pub(super) fn arm(conn: &mut SqliteConnection, table: &ReplicaTable) -> QueryResult<()> {
    for (name, text) in [deletion(table), taking(table)] {
        let known = format!(
            "select 1 from sqlite_schema where type = 'trigger' and name = {BIND} and sql = {BIND}"
        );
        if query::exists(conn, &known, [&name, &text].map(Bind::text))? {
            continue;
        }
        conn.batch_execute(&format!(
            "drop trigger if exists {};\n{text}",
            quoted(&name)
        ))?;
    }
    Ok(())
}

/// An upload's deletion takes its clock.
fn deletion(table: &ReplicaTable) -> (String, String) {
    let name = table.object("replica_relay_delete");
    let text = format!(
        "CREATE TRIGGER {} after update of carburetor_clock on {}
when {RECORDING} and old.carburetor_clock is not new.carburetor_clock and substr(new.carburetor_clock, 17) <> '{:016x}'
begin
  update {} set carburetor_clock = new.carburetor_clock, carburetor_sent = 1
    where {} and carburetor_column = '' and carburetor_kind = 'delete';
end",
        quoted(&name),
        table.own("register"),
        Clock::ZERO.replica(),
        table.own("outbox"),
        table.own_id("new"),
    );
    (name, text)
}

/// What an upload hands over waits to be sent. That there is such a trigger tells uploads that the table's changes are to be handed over.
fn taking(table: &ReplicaTable) -> (String, String) {
    let name = table.object("relay");
    let text = format!(
        "CREATE TRIGGER {} after insert on carburetor_relay when new.of_table = {}
begin
  update carburetor_replica set clock = max(clock, new.time), stretch = stretch + 1;
  insert into carburetor_sending (in_group, of_table, id, clock, change, since, stretch)
    values ({}, new.of_table, new.id, new.clock, new.change, new.at, new.at);
end",
        quoted(&name),
        literal(&table.definition.wire_name),
        literal(&table.owner),
    );
    (name, text)
}

/// Keeps what the server has answered, for the device to hear, and whether its edit is `lost`, which the rows here may not show; `false` where the change is no
/// device's.
pub(super) fn answer(
    conn: &mut SqliteConnection,
    store: &Store,
    outcome: &Outcome,
    lost: bool,
) -> Result<bool, ReplicaError> {
    if !store.is_hub() {
        return Ok(false);
    }
    let kept = Outcome {
        stamp: None,
        row: None,
        // The device's scope may not show them.
        met: None,
        unreadable: None,
        lost,
        ..outcome.clone()
    };
    let sql =
        format!("update carburetor_relay set answer = {BIND}, change = '' where clock = {BIND}");
    let binds = [Bind::json(&kept)?, Bind::text(outcome.clock.to_string())];
    Ok(query::execute(conn, &sql, binds)? > 0)
}

/// Whether the change of this clock is a device's.
pub(super) fn is_relayed(
    conn: &mut SqliteConnection,
    store: &Store,
    clock: Clock,
) -> QueryResult<bool> {
    let sql = format!("select 1 from carburetor_relay where clock = {BIND}");
    Ok(store.is_hub() && query::exists(conn, &sql, [Bind::text(clock.to_string())])?)
}

/// The changes of one replica as they are sent: those of a device are based on the server's stamps.
pub(super) fn based(
    conn: &mut SqliteConnection,
    store: &Store,
    batch: &[Sending],
) -> Result<Vec<String>, ReplicaError> {
    let is_relayed = match batch.first() {
        Some(first) => is_relayed(conn, store, first.clock)?,
        None => false,
    };
    let text = |sending: &Sending| {
        if !is_relayed {
            return Ok(sending.change.clone());
        }
        let mut change = sending.read()?;
        change.base = match (store.table(&change.table), change.base) {
            (Some(table), Some(base)) => hub::seen(conn, table, &change.id, base)?,
            _ => None,
        };
        let text = serde_json::to_string(&change);
        text.map_err(|error| WireError::new(error.to_string()).into())
    };
    batch.iter().map(text).collect()
}
