//! The tables that a replica keeps for itself in its file.

use super::error::ReplicaError;
use super::query::{self, Bind};
use super::show::{ANSWERED, DOWNLOADED};
use super::table::ReplicaTable;
use crate::table::{literal, quoted};
use crate::tracking::sqlite::SYSTEM_TIME;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// What all groups of the file share. `clock` and `seen` are milliseconds and counter of a clock: the last one given out or observed, and the
/// greatest that a server has shown. `file` tells the file from its copies. `now_ms` is the time of a test.
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
  now_ms integer
);
insert or ignore into carburetor_replica (singleton, id) values (1, lower(hex(randomblob(8))));
create table if not exists carburetor_group (
  name text primary key,
  account text not null,
  token text,
  scope text,
  confirmed text,
  synced_ms integer
);
create table if not exists carburetor_replicated (
  name text primary key,
  in_group text not null,
  columns text not null
);
create table if not exists carburetor_sending (
  seq integer primary key autoincrement,
  in_group text not null,
  of_table text not null,
  id text not null,
  clock text not null,
  change text not null,
  attempted integer not null default 0
);
create index if not exists carburetor_sending_clock on carburetor_sending (in_group, clock);
create table if not exists carburetor_rejected (
  seq integer primary key autoincrement,
  in_group text not null,
  of_table text not null,
  id text not null,
  change text not null,
  code text not null,
  message text not null,
  field text,
  at integer not null
);
create table if not exists carburetor_stage (
  in_group text primary key,
  token text not null,
  scope text
);
create table if not exists carburetor_stage_reset (
  of_table text primary key
);
create table if not exists carburetor_stage_left (
  of_table text not null,
  of_column text not null,
  value text not null
);
";

/// The time now in milliseconds since 1970, as SQL over `carburetor_replica`.
pub(super) fn now_ms() -> String {
    format!("(coalesce(now_ms, {SYSTEM_TIME} / 1000) + offset_ms)")
}

/// Moves the clock on: to the time, or by one.
pub(super) fn tick() -> String {
    format!(
        "update carburetor_replica set clock = max(clock + 1, {} << 16);",
        now_ms()
    )
}

/// The clock that was given out last.
pub(super) const LAST_CLOCK: &str = "(select printf('%016x', clock) || id from carburetor_replica)";

/// Makes the tables that are shared.
pub(super) fn share(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(SHARED)
}

/// Makes what `table` needs, and notes that it is one of the group's. The user's table is there.
pub(super) fn install(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    group: &str,
) -> Result<(), ReplicaError> {
    let definition = table.definition;
    let named = [definition.table.as_str(), group].map(Bind::text);
    let other =
        "select in_group from carburetor_replicated where name = \u{1} and in_group <> \u{1}";
    if let Some(row) = query::rows(conn, other, named)?.first() {
        let other = query::as_text(row.first().unwrap_or(&None));
        return Err(ReplicaError::table(
            definition,
            format!(
                "the group `{other}` of this file has the table: replicate the groups into two files"
            ),
        ));
    }
    let ids: Vec<&str> = definition.ids().map(|id| id.name.as_str()).collect();
    let columns: Vec<&str> = definition
        .downloaded()
        .map(|column| column.name.as_str())
        .collect();
    let shape = serde_json::json!([ids, columns]).to_string();
    let known = query::value(
        conn,
        "select columns from carburetor_replicated where name = \u{1}",
        [Bind::text(&definition.table)],
    )?;
    if known.is_some() && query::as_text(&known) != shape {
        renew(conn, table, &shape, group)?;
    }
    conn.batch_execute(&format!(
        "{}{}insert or replace into carburetor_replicated (name, in_group, columns) values ({}, {}, {})",
        outbox(table),
        stage(table),
        literal(&definition.table),
        literal(group),
        literal(&shape),
    ))?;
    Ok(())
}

/// The model has other columns than the file's tables were made for: pages on their way begin anew, and so does the download, because the
/// server has more to say of each row.
fn renew(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    shape: &str,
    group: &str,
) -> Result<(), ReplicaError> {
    let outbox = table.own("outbox");
    let is_empty = !query::exists(conn, &format!("select 1 from {outbox} limit 1"), [])?;
    let old = query::value(
        conn,
        "select columns ->> '$[0]' = \u{1} ->> '$[0]' from carburetor_replicated where name = \u{1}",
        [shape, &table.definition.table].map(Bind::text),
    )?;
    if query::as_integer(&old) == 0 {
        if !is_empty {
            return Err(ReplicaError::table(
                table.definition,
                "its id has other columns than before, and there are changes that wait for the server: upload them with the version of the \
                 program that made them"
                    .into(),
            ));
        }
        conn.batch_execute(&format!("drop table {outbox}"))?;
    }
    let kept = ["staged", "gone", "answered", "lost", "held"]
        .map(|kind| format!("drop table if exists {};", table.own(kind)));
    conn.batch_execute(&format!(
        "{}delete from carburetor_stage where in_group = {group};
update carburetor_group set token = null where name = {group}",
        kept.concat(),
        group = literal(group),
    ))?;
    Ok(())
}

/// The registers of what is unsent or in flight. `carburetor_sent`: 0 unsent, 1 in flight, 2 unsent while an earlier state is in flight.
///
/// CREATE TABLE AS takes the affinities over, so that ids compare as they do in the table.
fn outbox(table: &ReplicaTable) -> String {
    let outbox = table.own("outbox");
    format!(
        "create table if not exists {outbox} as select {ids}, '' as carburetor_column, '' as carburetor_kind, '' as carburetor_clock,
  null as carburetor_base, null as carburetor_was, cast(0 as integer) as carburetor_sent from {name} where 0;
create unique index if not exists {unique} on {outbox} ({ids}, carburetor_column);
create index if not exists {unsent} on {outbox} (carburetor_clock) where carburetor_sent <> 1;
",
        ids = table.ids(""),
        name = table.name(),
        unique = table.own("outbox_id"),
        unsent = table.own("outbox_unsent"),
    )
}

/// Rows and ids before they are shown, of a download and of an answer, and the row that a REPLACE is about to delete (`held`).
fn stage(table: &ReplicaTable) -> String {
    let (ids, columns, name) = (table.ids(""), table.columns(""), table.name());
    let kinds = [DOWNLOADED, ANSWERED];
    let kinds = kinds
        .iter()
        .flat_map(|staging| [(staging.rows, &columns), (staging.gone, &ids)]);
    let mut text: String = kinds
        .map(|(kind, columns)| {
            let [own, unique] = [
                table.own(kind),
                quoted(&table.object(&format!("{kind}_id"))),
            ];
            format!(
                "create table if not exists {own} as select {columns} from {name} where 0;
create unique index if not exists {unique} on {own} ({ids});
"
            )
        })
        .collect();
    text += &format!(
        "create table if not exists {} as select {columns} from {name} where 0;\n",
        table.own("held")
    );
    text
}
