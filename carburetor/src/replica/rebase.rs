//! The entries that remain when a change is settled: they were made on what the server now has.

use super::error::ReplicaError;
use super::hub;
use super::query::{self, BIND, Bind, Stored, applying};
use super::refused;
use super::table::ReplicaTable;
use crate::backend::SyncBackend;
use crate::change::{Change, Edit};
use crate::outcome::Outcome;
use crate::statement::Statement;
use diesel::sqlite::{Sqlite, SqliteConnection};
use serde_json::{Map, Value};

/// The server holds what was sent: the row stays as it is, under its new stamp.
pub(super) fn applied(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    change: &Change,
    outcome: &Outcome,
    id: &[Stored],
) -> Result<(), ReplicaError> {
    let mut base = None;
    if let (Some(instant), Some(stamp)) = (outcome.stamp, table.stamp()) {
        let mut select: Statement<'_, Sqlite> = Statement::of("select ");
        select.bind(Sqlite::bind_stamp(stamp.storage, instant));
        base = query::first(conn, select)?;
        match table.is_hub {
            true => hub::note_one(conn, table, id, &base, change.clock)?,
            false => {
                let sql = format!(
                    "update {} as kept set {} = {BIND} where {}",
                    table.name(),
                    stamp.quoted(),
                    table.has_id("kept")
                );
                let binds = [Bind(base.clone())].into_iter().chain(binds(id));
                // Of a row that the table refuses, the next download tells that.
                drop(refused::attempt(conn, table, |conn| {
                    applying(conn, |conn| Ok(query::execute(conn, &sql, binds)?))
                })?);
            }
        }
    }
    let none = Map::new();
    let columns = match &change.edit {
        Edit::Insert(columns) | Edit::Update(columns) => columns,
        Edit::Delete => &none,
    };
    rebase_on(conn, table, id, columns, base)
}

/// [`rebase`] on a row as it travels.
pub(super) fn rebase_on(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
    row: &Map<String, Value>,
    base: Stored,
) -> Result<(), ReplicaError> {
    let mut columns = Vec::with_capacity(row.len());
    for (name, value) in row {
        if let Some((number, _)) = table.column(name) {
            columns.push((name.as_str(), (table.admit)(number, value)?));
        }
    }
    rebase(conn, table, id, columns.into_iter(), base)
}

/// The entries that remain were made on what the server now has: `row`, as far as it is known, and its stamp.
pub(super) fn rebase<'r>(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
    row: impl Iterator<Item = (&'r str, Stored)>,
    base: Stored,
) -> Result<(), ReplicaError> {
    let outbox = table.own("outbox");
    let has_id = table.has_id("entry");
    let set = format!("update {outbox} as entry set carburetor_base = {BIND} where {has_id}");
    let remain = query::execute(conn, &set, [Bind(base)].into_iter().chain(binds(id)))?;
    if remain == 0 {
        return Ok(());
    }
    for (name, was) in row {
        query::execute(
            conn,
            &format!(
                "update {outbox} as entry set carburetor_was = {BIND} where {has_id} and carburetor_column = {BIND}"
            ),
            [Bind(was)]
                .into_iter()
                .chain(binds(id))
                .chain([Bind::text(name)]),
        )?;
    }
    Ok(())
}

pub(super) fn stamp_of(table: &ReplicaTable, values: &[Stored]) -> Stored {
    let stamp = table.stamp()?;
    let (number, _) = table.column(&stamp.name)?;
    values.get(number).cloned().flatten()
}

/// The id as binds.
pub(super) fn binds(id: &[Stored]) -> impl Iterator<Item = Bind> {
    id.iter().cloned().map(Bind)
}
