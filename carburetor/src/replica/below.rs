//! What downloads have shown of rows whose changes are under way: it lies below the program's values until the answers come. One that is older than what
//! has been shown since, because it was held up or because it was asked for again, is no news of the row.

use super::error::ReplicaError;
use super::query::{self, BIND, Bind, Stored};
use super::show::Staging;
use super::table::ReplicaTable;
use crate::outcome::Outcome;
use crate::table::ColumnDefinition;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use std::iter::repeat_n;

/// What the entry of an insert under way holds once the server has said that a row of that id is gone: that may be this one.
pub(super) const GONE: &str = "carburetor_was = 2";

/// The table of these rows.
pub(super) fn made(table: &ReplicaTable) -> String {
    let [own, unique] = [table.own("below"), table.own("below_id")];
    format!(
        "create table if not exists {own} as select {} from {} where 0;
create unique index if not exists {unique} on {own} ({});
",
        table.columns(""),
        table.name(),
        table.ids("")
    )
}

/// Keeps the staged rows whose changes are under way.
pub(super) fn keep(table: &ReplicaTable, staging: Staging) -> String {
    format!(
        "insert or replace into {} ({columns}) select {} from {} as row
  where exists (select 1 from {} as entry where {} and carburetor_sent <> 0){};
",
        table.own("below"),
        table.columns("row."),
        table.staged(staging.rows),
        table.own("outbox"),
        table.same_id("entry", "row"),
        staging.order,
        columns = table.columns(""),
    )
}

/// The row of this id if it was shown while the change was under way, and is later than the outcome says.
pub(super) fn later(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
    outcome: &Outcome,
) -> Result<Option<Vec<Stored>>, ReplicaError> {
    let Some(stamp) = table.stamp() else {
        return Ok(None);
    };
    let shown = stamped(conn, table, stamp, &table.own("below"), id)?;
    let answered = match (&outcome.row, outcome.is_as_sent()) {
        // A row that went later than it was shown goes with the next download.
        (None, false) => Some(DateTime::UNIX_EPOCH),
        _ => answered(outcome, &stamp.name),
    };
    let answered = answered.map(|at| at.timestamp_micros());
    Ok(shown.and_then(|(at, values)| (at > answered && answered.is_some()).then_some(values)))
}

/// The row of this id in the table `from`, with its stamp in microseconds.
fn stamped(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    stamp: &ColumnDefinition,
    from: &str,
    id: &[Stored],
) -> QueryResult<Option<(Option<i64>, Vec<Stored>)>> {
    let sql = format!(
        "select {}, {} from {from} as row where {}",
        stamp.quoted(),
        table.columns("row."),
        table.has_id("row")
    );
    let mut found = None;
    query::each(conn, &sql, id.iter().cloned().map(Bind), |row| {
        let at = row.instant(0, stamp.storage)?;
        let values: Vec<Stored> = (1..row.width()).map(|column| row.stored(column)).collect();
        found = Some((at, values));
        QueryResult::Ok(())
    })?;
    Ok(found)
}

/// The stamp of the row that an outcome is about.
fn answered(outcome: &Outcome, stamp: &str) -> Option<DateTime<Utc>> {
    match &outcome.row {
        Some(row) => row.get(stamp)?.as_str()?.parse().ok(),
        None => outcome.stamp,
    }
}

/// Whether the table shows a later row of this id than the outcome is about: the one before went, which ended the edit, and it came again.
pub(super) fn is_another(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
    outcome: &Outcome,
) -> Result<bool, ReplicaError> {
    // The stamps of a hub are of its own.
    let Some(stamp) = table.stamp().filter(|_| !table.is_hub) else {
        return Ok(false);
    };
    let Some(answered) = answered(outcome, &stamp.name) else {
        return Ok(false);
    };
    let shown = stamped(conn, table, stamp, &table.name(), id)?;
    Ok(shown.is_some_and(|(shown, _)| shown > Some(answered.timestamp_micros())))
}

/// Forgets the row once no change of it is under way.
pub(super) fn forget(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
) -> QueryResult<()> {
    let sql = format!(
        "delete from {} as below where {} and not exists (select 1 from {} as entry where {} and carburetor_sent <> 0)",
        table.own("below"),
        table.has_id("below"),
        table.own("outbox"),
        table.has_id("entry"),
    );
    let binds = repeat_n(id, 2).flatten().cloned().map(Bind);
    query::execute(conn, &sql, binds)?;
    Ok(())
}

/// Whether a removal has come while the insert of this clock was under way.
pub(super) fn is_gone(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
    clock: &str,
) -> QueryResult<bool> {
    let sql = format!(
        "select 1 from {} as entry where {} and carburetor_column = '' and carburetor_clock = {BIND} and {GONE}",
        table.own("outbox"),
        table.has_id("entry"),
    );
    query::exists(
        conn,
        &sql,
        id.iter().cloned().map(Bind).chain([Bind::text(clock)]),
    )
}
