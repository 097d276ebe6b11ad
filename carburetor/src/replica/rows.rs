//! Rows and ids that travelled, written where they lie before they are shown.

use super::error::ReplicaError;
use super::query::Stored;
use super::section::Travelled;
use super::table::ReplicaTable;
use crate::statement::Statement;
use crate::upload::{Cells, Sent, Types, UploadBackend};
use crate::wire::{WireError, unsent};
use diesel::connection::Connection;
use diesel::sqlite::{Sqlite, SqliteConnection};
use serde_json::{Map, Value};

/// Writes `rows` into `target`, in the place of those with the same ids where they are unique in it.
pub(super) fn write_rows(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    target: &str,
    rows: &[Vec<Stored>],
) -> Result<(), ReplicaError> {
    let columns = table.definition.downloaded();
    let names: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
    write(conn, target, &names, rows)
}

/// Writes `ids` into `target`.
pub(super) fn write_ids(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    target: &str,
    ids: &[Vec<Stored>],
) -> Result<(), ReplicaError> {
    let names: Vec<&str> = table.definition.ids().map(|id| id.name.as_str()).collect();
    write(conn, target, &names, ids)
}

/// A row as an answer has it, column by column.
pub(super) fn travelled(table: &ReplicaTable, mut row: Map<String, Value>) -> Travelled {
    let columns = table.definition.downloaded();
    columns.map(|column| row.remove(&column.name)).collect()
}

/// The stored values of a row. What an older server doesn't send is the model's default.
pub(super) fn admit(table: &ReplicaTable, row: &[Option<Value>]) -> Result<Vec<Stored>, WireError> {
    let mut whole = Vec::with_capacity(row.len());
    for (number, value) in row.iter().enumerate() {
        match value {
            Some(value) => whole.push((table.admit)(number, value)?),
            None => return admit_whole(table, row),
        }
    }
    Ok(whole)
}

fn admit_whole(table: &ReplicaTable, row: &[Option<Value>]) -> Result<Vec<Stored>, WireError> {
    let named = table.definition.downloaded().zip(row);
    let given = named.filter_map(|(column, value)| Some((column.name.clone(), value.clone()?)));
    let mut whole = (table.complete)(given.collect()).map_err(unsent)?;
    let columns = table.definition.downloaded().enumerate();
    columns
        .map(|(number, column)| {
            // What came stays as it came: the model may have a fallback for it.
            match row.get(number).and_then(Option::as_ref) {
                Some(value) => (table.admit)(number, value),
                None => (table.admit)(number, &whole.remove(&column.name).unwrap_or_default()),
            }
        })
        .collect()
}

/// Rows of VALUES, a few hundred at once.
fn write(
    conn: &mut SqliteConnection,
    target: &str,
    names: &[&str],
    rows: &[Vec<Stored>],
) -> Result<(), ReplicaError> {
    let columns: Vec<String> = names
        .iter()
        .map(|name| crate::table::quoted(name))
        .collect();
    let columns = columns.join(", ");
    for some in rows.chunks(Sqlite::most_rows(names.len() + 1)) {
        let mut sent: Sent<'_, Sqlite> = Sent::new(some.len());
        for (place, name) in names.iter().enumerate() {
            let cells = some.iter().map(|row| row[place].as_ref()).collect();
            sent.add(*name, Cells::Values(name, cells));
        }
        let (mut statement, _): (Statement<'_, Sqlite>, _) = sent.statement(&Types::default());
        statement.sql(format!(
            "insert or replace into {target} ({columns}) select {columns} from sent"
        ));
        conn.execute_returning_count(&statement)?;
    }
    Ok(())
}
