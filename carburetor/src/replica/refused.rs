//! What a device's own table refuses of the server's, by a CHECK, a key or a trigger: it is found among the rest, and kept aside.

use super::broken::broken;
use super::error::ReplicaError;
use super::file::Store;
use super::frozen::id_json;
use super::query::{self, BIND, Bind, Stored, applying, as_integer};
use super::show::{Staging, disentangle, inserts, removal};
use super::table::ReplicaTable;
use super::unreadable::Unread;
use crate::connection::shortage::is_shortage;
use crate::connection::transact;
use crate::wire::WireError;
use diesel::connection::SimpleConnection;
use diesel::result::Error;
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value};

/// What the database says, if the error is about what was written: the file can go on.
pub(super) fn why(error: &ReplicaError) -> Option<&str> {
    match error {
        ReplicaError::Query(error) if !is_shortage(error) => match error {
            Error::DatabaseError(_, about) => Some(about.message()),
            _ => None,
        },
        _ => None,
    }
}

/// Runs `work` in a savepoint: what it returns, or what the database says of what it wrote. Where
/// the transaction has ended with that, or the table takes no row at all, all of it has failed.
pub(super) fn attempt<T>(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, ReplicaError>,
) -> Result<Result<T, String>, ReplicaError> {
    match tried(conn, table, work)? {
        Ok(done) => Ok(Ok(done)),
        Err(said) => match broken(conn, table)? {
            Some(broken) => Err(broken),
            None => Ok(Err(said)),
        },
    }
}

/// The same of a table of which it is known that it takes rows.
fn tried<T>(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, ReplicaError>,
) -> Result<Result<T, String>, ReplicaError> {
    let error = match transact(conn, work) {
        Ok(done) => return Ok(Ok(done)),
        Err(error) => unless_over(conn, table, error),
    };
    match why(&error) {
        Some(said) => Ok(Err(said.to_owned())),
        None => Err(error),
    }
}

/// The error of a savepoint, which is no row's where the transaction has ended with it: what is
/// written from then on would stay, whatever fails.
pub(super) fn unless_over(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    error: ReplicaError,
) -> ReplicaError {
    match why(&error) {
        Some(said) if is_over(conn) => ReplicaError::table(
            table.definition,
            format!(
                "the table in this device's file, by a trigger or a constraint, ends the whole transaction: {said}; let it refuse the row alone, with `raise(abort, ..)`"
            ),
        ),
        _ => error,
    }
}

/// Whether the transaction has ended, which a trigger can do.
fn is_over(conn: &mut SqliteConnection) -> bool {
    // Within a transaction no other one begins.
    conn.batch_execute("begin").is_ok() && conn.batch_execute("rollback").is_ok()
}

/// What is wrong with a row that `table` refuses, in the words of the database.
pub(super) fn refusal(table: &ReplicaTable, said: &str) -> WireError {
    let message = format!(
        "the table in this device's file refuses what the server has: {said}; let the table take it, or mend the row on the server"
    );
    WireError::new(message).at(&table.definition.wire_name, culprit(table, said))
}

/// The same of an edit that is to be undone.
pub(super) fn of_undoing(table: &ReplicaTable, said: &str) -> WireError {
    let message = format!(
        "the edit doesn't stand, and the table in this device's file refuses to undo it: {said}; let the table take that, and what the server has of the row comes with a later download"
    );
    WireError::new(message).at(&table.definition.wire_name, culprit(table, said))
}

/// The column that the words of the database are about; of several none.
fn culprit<'t>(table: &'t ReplicaTable, said: &str) -> &'t str {
    // What a trigger says are the program's own words.
    let about = ["constraint failed: ", " column "]
        .iter()
        .find_map(|before| said.split_once(before));
    let about = about.map_or("", |(_, about)| about);
    let words: Vec<&str> = about
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    let named = table.definition.downloaded();
    let mut named = named.filter(|column| words.contains(&column.name.as_str()));
    match (named.next(), named.next()) {
        (Some(column), None) => &column.name,
        _ => "",
    }
}

/// The same of a row that is to go.
fn of_removal(table: &ReplicaTable, said: &str) -> WireError {
    let message = format!(
        "the row is gone on the server, and this device's file refuses to remove it: {said}; let it go"
    );
    WireError::new(message).at(&table.definition.wire_name, "")
}

/// Keeps aside what the table refuses of what is staged, and takes it off the stage; returns how much that is.
pub(super) fn set_aside(
    conn: &mut SqliteConnection,
    store: &Store,
    table: &ReplicaTable,
    staging: Staging,
) -> Result<u64, ReplicaError> {
    leave_newest(conn, table, staging)?;
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    // Nothing of the search stays.
    let searched: Result<(), ReplicaError> = transact(conn, |conn| {
        if !table.takes_no_writes() {
            disentangle(conn, store, table, staging)?;
        }
        let (from, ids) = (table.staged(staging.gone), table.ids(""));
        let few = format!(" and ({ids}) in (select {ids} from {from} where {BETWEEN})");
        let removals = [removal(table, staging, &few)];
        applying(conn, |conn| {
            search(conn, table, &from, &removals, &mut gone)
        })?;
        let from = table.staged(staging.rows);
        let inserts = inserts(conn, table, staging, &format!(" and row.{BETWEEN}"))?;
        applying(conn, |conn| search(conn, table, &from, &inserts, &mut rows))?;
        Err(Error::RollbackTransaction.into())
    });
    match searched {
        Ok(()) | Err(ReplicaError::Query(Error::RollbackTransaction)) => {}
        Err(error) => return Err(error),
    }
    for (place, said) in &gone {
        let from = table.staged(staging.gone);
        let of_place = format!("from {from} where _rowid_ = {BIND}");
        let sql = format!("select {} {of_place}", table.ids(""));
        let id: Vec<Stored> = query::rows(conn, &sql, [Bind::integer(*place)])?.concat();
        let error = of_removal(table, said).of(id_json(conn, table, &id)?);
        Unread::remains(error).keep(conn, table)?;
        query::execute(conn, &format!("delete {of_place}"), [Bind::integer(*place)])?;
    }
    for (place, said) in &rows {
        let from = table.staged(staging.rows);
        let of_place = format!("from {from} as row where _rowid_ = {BIND}");
        let row = travelling(conn, table, &of_place, *place)?;
        Unread::refused(table, row, said).keep(conn, table)?;
        query::execute(conn, &format!("delete {of_place}"), [Bind::integer(*place)])?;
    }
    let first = gone.first().or(rows.first());
    if let (Some((_, said)), false) = (first, staging.is_kept()) {
        tracing::warn!(
            table = table.definition.table,
            rows = rows.len(),
            removals = gone.len(),
            error = said,
            "the table refuses what the server has: it is kept aside, and told as unreadable"
        );
    }
    Ok((gone.len() + rows.len()) as u64)
}

/// Of the rows of one id the last one stays on the stage.
fn leave_newest(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    staging: Staging,
) -> Result<(), ReplicaError> {
    let (rows, ids) = (table.staged(staging.rows), table.ids(""));
    Ok(conn.batch_execute(&format!(
        "delete from {rows} where _rowid_ not in (select max(_rowid_) from {rows} group by {ids})"
    ))?)
}

/// Which places a statement is about.
const BETWEEN: &str = "_rowid_ between \u{1} and \u{1}";

/// Writes what lies in `from` in halves of halves until what is refused stands alone: `found` has the place of each, and what the database says.
/// The statements are for places that are [`BETWEEN`] two bounds.
fn search(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    from: &str,
    statements: &[String],
    found: &mut Vec<(i64, String)>,
) -> Result<(), ReplicaError> {
    let bounds = query::rows(
        conn,
        &format!("select min(_rowid_), max(_rowid_) from {from} having count(*) > 0"),
        [],
    )?;
    let mut open: Vec<(i64, i64)> = bounds
        .iter()
        .map(|row| (as_integer(&row[0]), as_integer(&row[1])))
        .collect();
    while let Some((first, last)) = open.pop() {
        let written = tried(conn, table, |conn| {
            for sql in statements {
                query::execute(conn, sql, [first, last].map(Bind::integer))?;
            }
            Ok(())
        })?;
        match written {
            Ok(()) => {}
            Err(said) if first == last => found.push((first, said)),
            Err(_) => {
                let middle = first + (last - first) / 2;
                open.push((middle + 1, last));
                open.push((first, middle));
            }
        }
    }
    Ok(())
}

/// A staged row as it travels; without a value that can't.
fn travelling(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    of_place: &str,
    place: i64,
) -> Result<Map<String, Value>, ReplicaError> {
    let sql = format!("select {} {of_place}", table.columns("row."));
    let mut travelling = Map::new();
    query::each(conn, &sql, [Bind::integer(place)], |row| {
        for (number, column) in table.definition.downloaded().enumerate() {
            if let Ok(value) = row.json(number, &table.codecs[number]) {
                travelling.insert(column.name.clone(), value);
            }
        }
        Ok::<_, ReplicaError>(())
    })?;
    Ok(travelling)
}
