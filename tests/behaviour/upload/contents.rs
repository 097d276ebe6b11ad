//! Everything that a server holds, as text: what must not change is compared with what was.

use super::{CARBURETOR, Conn, columns_of};
use diesel::prelude::*;
use diesel::sql_types::Text;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The first column of `query`, which it calls `line`.
pub(super) fn lines(conn: &mut Conn, query: &str) -> Vec<String> {
    let lines: Vec<Line> = diesel::sql_query(query)
        .load(conn)
        .unwrap_or_else(|error| panic!("{error} in:\n{query}"));
    lines.into_iter().map(|line| line.line).collect()
}

/// The rows of a table with all of their columns, stamps and registers too.
pub(super) fn rows(conn: &mut Conn, table: &str) -> Vec<String> {
    let columns = lines(conn, &columns_of(table));
    assert!(!columns.is_empty(), "no table {table}");
    let columns: Vec<String> = columns
        .iter()
        .map(|column| format!("coalesce(cast({column} as text), '~')"))
        .collect();
    let row = columns.join(" || '|' || ");
    lines(
        conn,
        &format!("select {row} as line from {table} order by 1"),
    )
}

/// Every row, register, deletion, conflict and stored outcome.
pub(super) fn contents(conn: &mut Conn) -> Vec<String> {
    let mut contents = Vec::new();
    for table in [
        "fields_rows",
        "later_rows",
        "server_rows",
        "client_rows",
        "custom_rows",
        "people",
        "tasks",
        "notes",
    ] {
        let [register, conflict] =
            ["register", "conflict"].map(|kind| format!("{CARBURETOR}{kind}_{table}"));
        for table in [table, &register, &conflict] {
            let rows = rows(conn, table);
            contents.extend(rows.iter().map(|row| format!("{table}: {row}")));
        }
    }
    contents.extend(rows(conn, &format!("{CARBURETOR}outcome")));
    // A statement takes an instant of SQLite's clock whatever comes of it.
    let clock = format!("select 'ahead ' || ahead as line from {CARBURETOR}clock");
    contents.extend(lines(conn, &clock));
    let tables = format!(
        "select name || ' ' || cast(generation as text) || ' ' || expired as line from {CARBURETOR}synced_table order by 1"
    );
    contents.extend(lines(conn, &tables));
    contents
}
