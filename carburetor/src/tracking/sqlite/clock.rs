//! The one-row clock, and the tables that all tracked tables share.

/// The system's time in microseconds.
///
/// `julianday` is constant within a statement and exact to the millisecond; `unixepoch('subsec')` needs SQLite 3.42.
pub(super) const SYSTEM_TIME: &str =
    "cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer) * 1000";

/// Moves the clock to the instant that the next stamp or removal takes.
pub(super) fn advance() -> String {
    format!("update carburetor_clock set now = max(now + 1, {SYSTEM_TIME});")
}

/// The shared tables. A clock that exists goes on from where it stood: replicas hold cutoffs of it.
pub(super) fn shared_tables() -> String {
    format!(
        "create table if not exists carburetor_clock (
  singleton integer primary key check (singleton = 1),
  now integer not null,
  ahead text not null default ''
);
create table if not exists carburetor_synced_table (
  name text primary key,
  generation integer not null default 1,
  horizon integer not null,
  definition text not null constraint \"{CHANGED}\" check (definition <> ''),
  hash text not null
);
create table if not exists carburetor_flag (
  name text primary key
);
create table if not exists carburetor_stamping (
  depth integer primary key,
  name text not null,
  stamp,
  at real not null
);
insert into carburetor_clock (singleton, now) values (1, {SYSTEM_TIME})
  on conflict (singleton) do update set now = max(now, excluded.now);
"
    )
}

/// What SQLite's error names when `up` meets another definition than the installed one.
const CHANGED: &str =
    "the model changed since its tracking was installed: run the difference first";
