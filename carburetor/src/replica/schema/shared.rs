//! The tables that the groups of a file share.

use crate::replica::query;
use crate::table::quoted;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// What all groups of the file share. The first group in `carburetor_replicated` that has a table uploads what is edited in it. `clock` and `seen` are milliseconds and counter of a clock: the last one given out or observed, and the
/// greatest that a server has shown. `file` tells the file from its copies. `now_ms` is the time of a test. `stretch` is that of the program's next write (see [`stretch`](super::super::stretch)),
/// `moving` and `was_at` what a row that is given another id comes from (see [`moved`](super::super::moved)).
///
/// Of what was rejected, `rest` is what the change doesn't say of its row, `made` the clock that it had before it was tried again, and `overtaken` what the device has edited since and the server has decided on;
/// `carburetor_retried` has the same clock of what waits (see [`overtaken`](super::super::overtaken)).
const SHARED: &str = "
create table if not exists carburetor_replica (
  singleton integer primary key check (singleton = 1),
  id text not null,
  clock integer not null default 0,
  seen integer not null default 0,
  offset_ms integer not null default 0,
  file text not null default '',
  applying integer not null default 0,
  untracked integer not null default 0,
  now_ms integer,
  stretch integer not null default 1,
  moving text,
  was_at text
);
insert or ignore into carburetor_replica (singleton, id) values (1, lower(hex(randomblob(8))));
create table if not exists carburetor_group (
  number integer primary key autoincrement,
  name text not null unique,
  account text not null,
  signed_out integer not null default 0,
  token text,
  scope text,
  confirmed text,
  synced_ms integer,
  origin text
);
create table if not exists carburetor_replicated (
  seq integer primary key autoincrement,
  name text not null,
  in_group text not null,
  shape text,
  unique (name, in_group)
);
create table if not exists carburetor_sending (
  seq integer primary key autoincrement,
  in_group text not null,
  of_table text not null,
  id text not null,
  clock text not null,
  change text not null,
  attempted integer not null default 0,
  since integer not null default 0,
  stretch integer not null default 0
);
create index if not exists carburetor_sending_clock on carburetor_sending (in_group, clock);
create table if not exists carburetor_held_change (
  seq integer primary key autoincrement,
  in_group text not null,
  clock text not null,
  change text not null
);
create table if not exists carburetor_rejected (
  seq integer primary key autoincrement,
  in_group text not null,
  of_table text not null,
  id text not null,
  change text not null,
  code text not null,
  message text not null,
  field text,
  at integer not null,
  account text not null default '',
  rest text,
  made text,
  overtaken text
);
create index if not exists carburetor_rejected_id on carburetor_rejected (of_table, id);
create table if not exists carburetor_retried (
  clock text primary key,
  of_table text not null,
  made text not null
);
create table if not exists carburetor_returning (
  of_table text not null,
  place text not null,
  rest text not null,
  primary key (of_table, place)
);
create table if not exists carburetor_met (
  seq integer primary key autoincrement,
  in_group text not null,
  change text not null,
  met text not null,
  account text not null,
  at integer not null
);
create table if not exists carburetor_stage (
  in_group text primary key,
  token text not null,
  scope text
);
create table if not exists carburetor_keys (
  in_group text primary key,
  keys text not null
);
create table if not exists carburetor_portion (
  in_group text not null,
  what text not null,
  now integer not null,
  fast integer not null,
  steps integer not null,
  has_failed integer not null,
  primary key (in_group, what)
);
create table if not exists carburetor_stage_reset (
  of_table text primary key
);
create table if not exists carburetor_unreadable (
  of_table text not null,
  key text not null,
  id text not null,
  row text,
  field text not null,
  message text not null,
  refused integer not null default 0,
  primary key (of_table, key)
);
create table if not exists carburetor_stage_left (
  of_table text not null,
  of_column text not null,
  value text not null
);
";

/// The columns of shared tables that the file of an earlier version lacks.
const LATER_COLUMNS: [(&str, &str, &str); 11] = [
    ("carburetor_group", "signed_out", NUMBER),
    ("carburetor_group", "origin", "text"),
    (
        "carburetor_replica",
        "stretch",
        "integer not null default 1",
    ),
    ("carburetor_replica", "moving", "text"),
    ("carburetor_replica", "was_at", "text"),
    ("carburetor_sending", "since", NUMBER),
    ("carburetor_unreadable", "refused", NUMBER),
    ("carburetor_sending", "stretch", NUMBER),
    ("carburetor_rejected", "rest", "text"),
    ("carburetor_rejected", "made", "text"),
    ("carburetor_rejected", "overtaken", "text"),
];

/// The type of a column that earlier versions didn't fill.
pub(super) const NUMBER: &str = "integer not null default 0";

/// Makes the tables that are shared.
pub(in crate::replica) fn share(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(SHARED)?;
    for (table, column, kind) in LATER_COLUMNS {
        add(conn, table, column, kind)?;
    }
    // What was rejected before accounts were noted is of whoever used the file last.
    if add(
        conn,
        "carburetor_rejected",
        "account",
        "text not null default ''",
    )? {
        conn.batch_execute(
            "update carburetor_rejected set account = coalesce((select account from carburetor_group where name = in_group), '')",
        )?;
    }
    Ok(())
}

/// Adds a column that the file of an earlier version lacks; `false` where it is there.
pub(super) fn add(
    conn: &mut SqliteConnection,
    table: &str,
    column: &str,
    kind: &str,
) -> QueryResult<bool> {
    if query::has_column(conn, table, column)? {
        return Ok(false);
    }
    conn.batch_execute(&format!(
        "alter table {} add column {column} {kind}",
        quoted(table)
    ))?;
    Ok(true)
}
