//! What keeps a tracked table going: retention, touching, resets, the watermark and rights.

use super::install::{Names, list};
use super::publish;
use crate::table::{ColumnDefinition, TableDefinition, literal, quoted};
use std::time::Duration;

/// How far the cutoff stays behind the clock, so that a clock that steps back a little loses nothing.
const SLACK: &str = "interval '1 second'";

/// Deletes the removals that are older than `age`, and moves the table's horizon in the same statement.
///
/// A download that runs at the same time reads the horizon and the removals in one statement, so it sees both as they were before or both as they
/// are after. The horizon never passes the cutoff: otherwise each download would be a reset until the oldest writer is done.
///
/// ```
/// # use carburetor::{table::TableDefinition, tracking::postgres::purge};
/// # use std::time::Duration;
/// let users = TableDefinition { wire_name: "users".into(), schema: None, table: "users".into(), untracked: false, columns: vec![], ..TableDefinition::default() };
/// assert!(purge(&users, Duration::from_secs(30 * 86400)).contains("interval '2592000000000 microseconds'"));
/// ```
pub fn purge(definition: &TableDefinition, age: Duration) -> String {
    format!(
        "with moved as (
  update carburetor.synced_table s
  set horizon = greatest(s.horizon, least(statement_timestamp() - interval '{age} microseconds', {cutoff}))
  where s.name = {key}
  returning s.horizon
)
delete from carburetor.{removal} r using moved where r.carburetor_removed_at < moved.horizon",
        age = age.as_micros(),
        cutoff = cutoff(),
        key = literal(&definition.key()),
        removal = quoted(&definition.removal_name()),
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
    let stamp = definition
        .stamp()
        .map(ColumnDefinition::quoted)
        .unwrap_or_default();
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
    let removals = definitions
        .iter()
        .filter(|definition| !definition.untracked)
        .map(|definition| Names::of(definition).removal_table);
    let shared = [
        "carburetor.synced_table",
        "carburetor.watermark",
        "carburetor.clock",
    ];
    let tables = shared.map(str::to_owned).into_iter().chain(removals);
    let role = quoted(role);
    format!(
        "grant usage on schema carburetor to {role};\ngrant select on {} to {role};\n",
        list(tables)
    )
}

/// The tracked cutoff; the statement's time is read before the locks are.
fn cutoff() -> String {
    format!(
        "least(statement_timestamp() - {SLACK}, {})",
        publish::OLDEST
    )
}
