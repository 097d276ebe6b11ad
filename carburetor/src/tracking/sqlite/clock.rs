//! The one-row clock, and the tables that all tracked tables share.

use super::replaced::REPLACED_TABLE;

/// The system's time in microseconds.
///
/// `julianday` is constant within a statement and exact to the millisecond; `unixepoch('subsec')` needs SQLite 3.42.
pub(crate) const SYSTEM_TIME: &str =
    "cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer) * 1000";

/// Moves the clock to the instant that the next stamp or removal takes.
pub(super) fn advance() -> String {
    format!("update carburetor_clock set now = max(now + 1, {SYSTEM_TIME});")
}

/// The clock of a write that the database itself made at `micros`, an expression without side effects; the twin of `Clock::of_database`.
pub(super) fn clock_of(micros: &str) -> String {
    format!("printf('%012x%04x%016x', {micros} / 1000, {micros} % 1000, 0)")
}

/// The columns that a shared table of an earlier installation may lack, with what adds them.
const LATER_COLUMNS: [(&str, &str); 4] = [
    ("carburetor_clock", "ahead"),
    ("carburetor_clock", "origin"),
    ("carburetor_synced_table", "expired"),
    ("carburetor_stamping", "clock"),
];

/// A query of rows `(name, statement)`: what adds columns to shared tables that an earlier version made. Run the statements before
/// [`up`](super::up), and print them at the top of a migration.
///
/// ```
/// let query = carburetor::tracking::sqlite::missing_shared_columns();
/// assert!(query.contains("alter table carburetor_clock add column ahead"));
/// ```
pub fn missing_shared_columns() -> String {
    let columns = LATER_COLUMNS.map(|(table, column)| {
        format!(
            "select '{column}' as name, 'alter table {table} add column {column} text not null default ''''' as statement
where exists (select 1 from sqlite_schema where type = 'table' and name = '{table}')
  and not exists (select 1 from pragma_table_info('{table}') where name = '{column}')"
        )
    });
    columns.join("\nunion all\n")
}

/// From which step of the clock on, in microseconds, it counts as a pause. An installation, by which a program begins, makes each step one: so a
/// file that has gone back while nothing ran is noticed, by however little.
const PAUSE: i64 = 60_000_000;

/// The shared tables. A clock that exists goes on from where it stood: replicas hold cutoffs of it.
pub(super) fn shared_tables() -> String {
    format!(
        "create table if not exists carburetor_clock (
  singleton integer primary key check (singleton = 1),
  now integer not null,
  ahead text not null default '',
  origin text not null default ''
);
create table if not exists carburetor_synced_table (
  name text primary key,
  generation integer not null default 1,
  horizon integer not null,
  definition text not null constraint \"{CHANGED}\" check (definition <> ''),
  hash text not null,
  expired text not null default ''
);
create table if not exists carburetor_flag (
  name text primary key
);
create table if not exists carburetor_stamping (
  depth integer primary key,
  name text not null,
  stamp,
  at real not null,
  clock text not null default ''
);
{REPLACED_TABLE}create table if not exists carburetor_outcome (
  replica text not null,
  first text not null,
  last text not null,
  outcomes text not null,
  at integer not null
);
create index if not exists carburetor_outcome_replica on carburetor_outcome (replica, last);
create table if not exists carburetor_relay (
  clock text primary key,
  time integer not null,
  of_table text not null,
  id text not null,
  change text not null,
  stamp integer,
  answer text,
  at integer not null
);
create table if not exists carburetor_pause (
  began integer primary key,
  ended integer not null
);
create trigger if not exists carburetor_pause after update of now on carburetor_clock when new.now - old.now > {PAUSE} begin
  insert or replace into carburetor_pause (began, ended) values (old.now, new.now);
end;
insert into carburetor_clock (singleton, now) values (1, {SYSTEM_TIME}) on conflict (singleton) do nothing;
insert or replace into carburetor_pause (began, ended) select now, {SYSTEM_TIME} from carburetor_clock where now < {SYSTEM_TIME};
update carburetor_clock set now = max(now, {SYSTEM_TIME});
update carburetor_clock set origin = lower(hex(randomblob(8))) where origin = '';
"
    )
}

/// What SQLite's error names when `up` meets another definition than the installed one.
const CHANGED: &str =
    "the model changed since its tracking was installed: run the difference first";
