//! What only the device knows of a row that was given another id and comes back under the one before: it lies here until a download shows the row.

use super::error::ReplicaError;
use super::moved::place;
use super::query::{self, BIND, Bind, Stored, as_text};
use super::refused;
use super::rest::{Rest, local, typed};
use super::table::ReplicaTable;
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use std::collections::HashMap;

/// Keeps it of the moved rows whose inserts have these clocks, as JSON. They are about to go.
pub(super) fn keep(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    clocks: &str,
) -> Result<(), ReplicaError> {
    let columns = local(conn, table)?;
    if columns.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "select entry.carburetor_was_at, {} from {} as entry join {} as kept on {}
where entry.carburetor_column = '' and entry.carburetor_kind = 'insert' and entry.carburetor_sent <> 1 and entry.carburetor_was_at is not null
  and entry.carburetor_clock in (select value from json_each({BIND}))",
        typed(&columns, "kept"),
        table.own("outbox"),
        table.name(),
        table.same_id("entry", "kept"),
    );
    let mut coming = Vec::new();
    query::each(conn, &sql, [Bind::text(clocks)], |row| {
        coming.push((as_text(&row.stored(0)), Rest::read(&columns, row, 1)));
        QueryResult::Ok(())
    })?;
    for (place, rest) in coming {
        let sql = format!(
            "insert or replace into carburetor_returning (of_table, place, rest) values ({BIND}, {BIND}, {BIND})"
        );
        let said = [&table.definition.table, &place, &rest.to_text()].map(Bind::text);
        query::execute(conn, &sql, said)?;
    }
    Ok(())
}

/// Gives it to the rows that have come back.
pub(super) fn give(conn: &mut SqliteConnection, table: &ReplicaTable) -> Result<(), ReplicaError> {
    let of_table = || Bind::text(&table.definition.table);
    let kept = format!("select place, rest from carburetor_returning where of_table = {BIND}");
    let kept = query::rows(conn, &kept, [of_table()])?;
    if kept.is_empty() {
        return Ok(());
    }
    let rests: HashMap<String, String> = kept
        .iter()
        .map(|kept| (as_text(&kept[0]), as_text(&kept[1])))
        .collect();
    let place = place(table, "kept.");
    let sql = format!(
        "select {place}, {} from {} as kept where {place} in (select place from carburetor_returning where of_table = {BIND})",
        table.ids("kept."),
        table.name()
    );
    for row in query::rows(conn, &sql, [of_table()])? {
        let (place, id): (String, &[Stored]) = (as_text(&row[0]), &row[1..]);
        if let Some(rest) = rests.get(&place) {
            // A value that the table doesn't take any more holds up nothing else.
            let rest = Rest::of_text(rest);
            if let Err(said) = refused::attempt(conn, table, |conn| rest.give(conn, table, id))? {
                tracing::warn!(
                    table = table.definition.table,
                    said,
                    "what only the device knew of a row doesn't come back"
                );
            }
        }
        let forget =
            format!("delete from carburetor_returning where of_table = {BIND} and place = {BIND}");
        query::execute(conn, &forget, [of_table(), Bind::text(place)])?;
    }
    Ok(())
}

/// Forgets it of what has not come: the server has no such row.
pub(super) fn forget(conn: &mut SqliteConnection, table: &str) -> QueryResult<()> {
    let forget = format!("delete from carburetor_returning where of_table = {BIND}");
    query::execute(conn, &forget, [Bind::text(table)])?;
    Ok(())
}
