//! Rows and ids that travelled, written where they lie before they are shown.

use super::error::ReplicaError;
use super::query::Stored;
use super::table::ReplicaTable;
use crate::statement::Statement;
use crate::upload::{Cells, Sent, Types, UploadBackend};
use crate::wire::WireError;
use diesel::connection::Connection;
use diesel::sqlite::{Sqlite, SqliteConnection};
use serde_json::{Map, Value};

/// Writes `rows` into `target`, in the place of those with the same ids.
pub(super) fn write_rows(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    target: &str,
    rows: Vec<Map<String, Value>>,
) -> Result<(), ReplicaError> {
    let names: Vec<&str> = table
        .definition
        .downloaded()
        .map(|column| column.name.as_str())
        .collect();
    let rows: Vec<Vec<Stored>> = rows
        .into_iter()
        .map(|row| admit(table, row))
        .collect::<Result<_, _>>()?;
    write(conn, target, &names, &rows)
}

/// Writes `ids` into `target`.
pub(super) fn write_ids(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    target: &str,
    ids: &[Value],
) -> Result<(), ReplicaError> {
    let names: Vec<&str> = table.definition.ids().map(|id| id.name.as_str()).collect();
    let ids: Vec<Vec<Stored>> = ids
        .iter()
        .map(|id| table.admit_id(id))
        .collect::<Result<_, _>>()?;
    write(conn, target, &names, &ids)
}

/// The stored values of a row, column by column. What the model doesn't know is skipped; what an older server doesn't send is the model's default.
pub(super) fn admit(
    table: &ReplicaTable,
    mut row: Map<String, Value>,
) -> Result<Vec<Stored>, WireError> {
    let lacks_some = |row: &Map<String, Value>| {
        let mut columns = table.definition.downloaded();
        columns.any(|column| !row.contains_key(&column.name))
    };
    if lacks_some(&row) {
        row = (table.complete)(row)?;
    }
    let columns = table.definition.downloaded().enumerate();
    columns
        .map(|(number, column)| {
            let value = row.get(&column.name).ok_or_else(|| {
                WireError::new("missing").at(&table.definition.wire_name, &column.name)
            })?;
            (table.admit)(number, value)
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
