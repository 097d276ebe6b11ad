//! The table of items in an SQLite file, as it is without a library: what a replica's file is measured beside.

use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::path::Path;

/// A new file with the table.
pub fn create(file: &Path) -> SqliteConnection {
    let path = file.to_str().expect("the path is UTF-8");
    let mut conn = SqliteConnection::establish(path).expect("the file opens");
    conn.batch_execute(
        "pragma journal_mode = wal; pragma synchronous = normal;
         create table items (id integer primary key, title text not null, note text, amount bigint not null, done boolean not null, updated_at text not null)",
    )
    .expect("the table can be made");
    conn
}

/// Inserts rows, an array of arrays in JSON, with one statement.
pub fn insert(conn: &mut SqliteConnection, rows: &str) -> QueryResult<usize> {
    json_each(conn, "insert", rows)
}

/// The same with rows that may be there.
pub fn replace(conn: &mut SqliteConnection, rows: &str) -> QueryResult<usize> {
    json_each(conn, "insert or replace", rows)
}

fn json_each(conn: &mut SqliteConnection, insert: &str, rows: &str) -> QueryResult<usize> {
    diesel::sql_query(format!(
        "{insert} into items select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 from json_each(?)"
    ))
    .bind::<Text, _>(rows)
    .execute(conn)
}
