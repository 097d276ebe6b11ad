//! A whole table of an SQLite file as JSON, beside `load` with serde, and beside stepping through the rows.

use crate::Options;
use crate::json::Counted;
use crate::race::{Runner, race};
use carburetor::{SyncGroup, SyncTable};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

diesel::table! {
    items (id) {
        id -> Integer,
        title -> Text,
        note -> Nullable<Text>,
        amount -> BigInt,
        done -> Bool,
        updated_at -> TimestamptzSqlite,
    }
}

/// A row of six columns.
#[derive(Debug, Queryable, Selectable, SyncTable, serde::Serialize)]
#[diesel(table_name = items)]
#[sync(backends(sqlite))]
pub struct Item {
    #[sync(id)]
    id: i32,
    title: String,
    note: Option<String>,
    amount: i64,
    done: bool,
    #[sync(last_synced_at)]
    #[serde(serialize_with = "instant")]
    updated_at: DateTime<Utc>,
}

fn instant<S: serde::Serializer>(instant: &DateTime<Utc>, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(&instant.format("%FT%T%.6fZ"))
}

/// `download_json` of a tracked table, `load` and serde_json, and SQLite's own row by row.
pub fn sqlite(options: &Options) {
    let rows = options.rows;
    let file = File::new();
    let conn = &mut open(&file.0);
    fill(conn, rows);
    let by_hand = &mut open(&file.0);
    let load = || {
        let items: Vec<Item> = items::table
            .select(Item::as_select())
            .load(by_hand)
            .expect("the query runs");
        let mut counted = Counted(0);
        serde_json::to_writer(&mut counted, &items).expect("rows are JSON");
        assert!(counted.0 > rows);
    };
    race(
        options.runs,
        Runner::new("Diesel load and serde_json", load),
        Runner::new("download_json", || download(conn, rows)),
    )
    .speed("sqlite_json/load", rows, "at least 1.5");

    let bare = rusqlite::Connection::open(&file.0).expect("the file opens");
    race(
        options.runs,
        Runner::new("SQLite's own rows, each value read", || {
            assert_eq!(step(&bare), rows);
        }),
        Runner::new("download_json", || download(conn, rows)),
    )
    .speed("sqlite_json/bare", rows, "no target");
}

/// Reads every value as SQLite has it: numbers, and text without a copy.
fn step(bare: &rusqlite::Connection) -> usize {
    let mut statement = bare
        .prepare("select id, title, note, amount, done, updated_at from items")
        .expect("the query is right");
    let mut found = statement.query([]).expect("the query runs");
    let mut rows = 0;
    while let Some(row) = found.next().expect("there are rows") {
        for column in 0..6 {
            black_box(row.get_ref_unwrap(column));
        }
        rows += 1;
    }
    rows
}

fn download(conn: &mut SqliteConnection, rows: usize) {
    let mut counted = Counted(0);
    SyncGroup::<(Item,)>::download_json(conn, (None,), &mut counted)
        .expect("the table can be downloaded");
    assert!(counted.0 > rows);
}

pub fn open(file: &Path) -> SqliteConnection {
    let name = file.to_str().expect("temporary folders have plain names");
    SqliteConnection::establish(name).expect("the file opens")
}

pub fn fill(conn: &mut SqliteConnection, rows: usize) {
    conn.batch_execute(&format!(
        "pragma journal_mode = wal; pragma synchronous = off;
         create table items (
           id integer primary key, title text not null, note text, amount bigint not null, done boolean not null,
           updated_at text not null
         );
         insert into items
         with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < {rows})
         select n, 'item number ' || n, case when n % 3 > 0 then 'what is to know of ' || n end, n * 37, n % 2 = 0,
           '2026-01-01 00:00:00.' || printf('%06d', n % 1000000) || '+00:00'
         from numbers;"
    ))
    .expect("the table is made");
    SyncGroup::<(Item,)>::tracking::<Sqlite>()
        .install(conn)
        .expect("the table can be tracked");
}

/// A folder with a database, removed in the end.
pub struct File(pub PathBuf);

impl File {
    pub fn new() -> Self {
        let folder = env::temp_dir().join(format!("carburetor-benches-{}", process::id()));
        fs::create_dir(&folder).expect("a temporary folder can be made");
        File(folder.join("items.sqlite"))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Some(folder) = self.0.parent() {
            // What stays is in the system's temporary folder.
            let _ = fs::remove_dir_all(folder);
        }
    }
}
