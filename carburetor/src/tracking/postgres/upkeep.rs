//! What keeps a tracked table going: retention, touching, resets, the watermark and rights.

use super::install::{Names, list};
use super::publish;
use crate::table::{TableDefinition, literal, quoted};
use std::time::Duration;

/// How far the cutoff stays behind the clock, so that a clock that steps back a little loses nothing.
const SLACK: &str = "interval '1 second'";

/// Deletes the removals that are older than `age`, and moves the table's horizon in the same statement. Conflicts and stored outcomes of that age go too.
///
/// A download that runs at the same time reads the horizon and the removals in one statement, so it sees both as they were before or both as they
/// are after. What is younger stays, even where the table was reset since: whoever has read everything behind that horizon goes on from a cutoff below it. The horizon never passes the cutoff: otherwise each download would be a reset until the oldest writer is done.
///
/// ```
/// # use carburetor::{table::TableDefinition, tracking::postgres::purge};
/// # use std::time::Duration;
/// let users = TableDefinition { wire_name: "users".into(), schema: None, table: "users".into(), untracked: false, columns: vec![], ..TableDefinition::default() };
/// assert!(purge(&users, Duration::from_secs(30 * 86400)).contains("interval '2592000000000 microseconds'"));
/// ```
pub fn purge(definition: &TableDefinition, age: Duration) -> String {
    let names = Names::of(definition);
    let since = since(age);
    let conflicts = match definition.has_registers() {
        true => format!(
            ", conflicts as (\n  delete from {} where carburetor_at < {since}\n)",
            names.conflict_table
        ),
        false => String::new(),
    };
    format!(
        "with old as materialized (
  select least({since}, {cutoff}) as until
), moved as (
  update carburetor.synced_table s
  set horizon = greatest(s.horizon, old.until)
  from old where s.name = {key}
  returning old.until
), outcomes as (
  delete from carburetor.outcome where at < {since}
){conflicts}
delete from {removal} r using moved where r.carburetor_removed_at < moved.until",
        cutoff = cutoff(),
        key = literal(&definition.key()),
        removal = names.removal_table,
    )
}

/// Forgets the clocks of deletions that are older than `age`: changes of absent rows can't be judged any more then, where their own clocks are older.
/// Empty where no registers are kept.
///
/// ```
/// # use carburetor::{table::TableDefinition, tracking::postgres::purge_deletions};
/// # use std::time::Duration;
/// let users = TableDefinition { table: "users".into(), ..TableDefinition::default() };
/// assert!(purge_deletions(&users, Duration::from_secs(60)).contains("interval '60000000 microseconds'"));
/// ```
pub fn purge_deletions(definition: &TableDefinition, age: Duration) -> String {
    if !definition.has_registers() {
        return String::new();
    }
    format!(
        "with moved as (
  update carburetor.synced_table s
  set expired = greatest(s.expired, carburetor.clock_of(least({since}, {cutoff})))
  where s.name = {key}
  returning s.expired
)
delete from {register} r using moved where r.carburetor_clock < moved.expired",
        since = since(age),
        cutoff = cutoff(),
        key = literal(&definition.key()),
        register = Names::of(definition).register_table,
    )
}

/// The instant `age` ago.
fn since(age: Duration) -> String {
    format!(
        "statement_timestamp() - interval '{} microseconds'",
        age.as_micros()
    )
}

/// Writes a row again, so that it is delivered; its id is in the parameters `$1`, `$2` ..
///
/// ```
/// # use carburetor::{table::{ColumnDefinition, TableDefinition}, tracking::postgres::touch};
/// # let users = TableDefinition { wire_name: "users".into(), schema: None, table: "users".into(), untracked: false, columns: vec![
/// #     ColumnDefinition { id: true, ..ColumnDefinition::new("id") },
/// #     ColumnDefinition { last_synced_at: true, ..ColumnDefinition::new("updated_at") } ], ..TableDefinition::default() };
/// assert_eq!(touch(&users), r#"update "users" set "updated_at" = "updated_at" where "id" = $1"#);
/// ```
pub fn touch(definition: &TableDefinition) -> String {
    let stamp = definition.stamp_name();
    let ids: Vec<_> = definition
        .ids()
        .zip(1..)
        .map(|(column, number)| format!("{} = ${number}", column.quoted()))
        .collect();
    format!(
        "update {} set {stamp} = {stamp} where {}",
        definition.sql_name(),
        ids.join(" and ")
    )
}

/// Starts the table again on every replica: for what triggers can't see, such as a partition that was attached with rows.
///
/// ```
/// # use carburetor::{table::TableDefinition, tracking::postgres::reset};
/// # let users = TableDefinition { wire_name: "users".into(), schema: None, table: "users".into(), untracked: false, columns: vec![], ..TableDefinition::default() };
/// assert_eq!(reset(&users), "select carburetor.reset_table('users')");
/// ```
pub fn reset(definition: &TableDefinition) -> String {
    format!(
        "select carburetor.reset_table({})",
        literal(&definition.key())
    )
}

/// Moves the watermark to the cutoff, never back, and returns it. Read replicas read it in the place of locks, which they don't see.
///
/// The cutoff is read before this transaction commits, so whatever has a stamp below it comes earlier in the log that the replicas replay. Outside of an
/// older snapshot only: run it alone, or under READ COMMITTED. A standby refuses it as a write.
///
/// ```
/// # use carburetor::tracking::postgres::watermark;
/// assert!(watermark().ends_with("returning w.cutoff"));
/// ```
pub fn watermark() -> String {
    format!(
        "insert into carburetor.watermark as w (cutoff) select {} \
         on conflict (singleton) do update set cutoff = greatest(w.cutoff, excluded.cutoff) returning w.cutoff",
        cutoff()
    )
}

/// What lets `role` download. Writers of the tables need nothing.
///
/// A role that moves the watermark needs `insert, update` on `carburetor.watermark` as well; one that purges owns the tables.
///
/// ```
/// # use carburetor::tracking::postgres::grants;
/// assert!(grants(&[], "server").starts_with("grant usage on schema carburetor to \"server\";"));
/// ```
pub fn grants(definitions: &[&TableDefinition], role: &str) -> String {
    let removals = tracked(definitions).map(|definition| Names::of(definition).removal_table);
    let shared = ["synced_table", "watermark", "clock"].map(|table| format!("carburetor.{table}"));
    let role = quoted(role);
    format!(
        "grant usage on schema carburetor to {role};\ngrant select on {} to {role};\n",
        list(shared.into_iter().chain(removals))
    )
}

/// What lets `role` download and upload, besides the rights on the tables themselves.
///
/// ```
/// # use carburetor::tracking::postgres::upload_grants;
/// assert!(upload_grants(&[], "server").contains("grant select, insert, update, delete on carburetor.clock, carburetor.outcome to \"server\";"));
/// ```
pub fn upload_grants(definitions: &[&TableDefinition], role: &str) -> String {
    let beside = tracked(definitions)
        .filter(|definition| definition.has_registers())
        .map(Names::of)
        .flat_map(|names| [names.register_table, names.conflict_table]);
    let shared = ["clock", "outcome"].map(|table| format!("carburetor.{table}"));
    format!(
        "{}grant select, insert, update, delete on {} to {};\n",
        grants(definitions, role),
        list(shared.into_iter().chain(beside)),
        quoted(role)
    )
}

fn tracked<'a>(definitions: &'a [&TableDefinition]) -> impl Iterator<Item = &'a TableDefinition> {
    definitions
        .iter()
        .filter(|definition| !definition.untracked)
        .copied()
}

/// The tracked cutoff; the statement's time is read before the locks are.
fn cutoff() -> String {
    format!(
        "least(statement_timestamp() - {SLACK}, {})",
        publish::OLDEST
    )
}
