//! What runs from time to time: forgetting old removals, syncing a row again, writing without stamps.

use super::clock::{SYSTEM_TIME, clock_of};
use super::surroundings::object;
use crate::table::{ColumnDefinition, TableDefinition, literal, quoted};
use std::time::Duration;

/// Turns stamps off until [`CLEAR_UNTRACKED`], for this write transaction; it inserts no row when they are off already.
///
/// ```
/// assert!(carburetor::tracking::sqlite::SET_UNTRACKED.starts_with("insert"));
/// ```
pub const SET_UNTRACKED: &str = "insert or ignore into carburetor_flag (name) values ('untracked')";

/// Turns stamps on again. Run it before the transaction commits.
///
/// ```
/// assert!(carburetor::tracking::sqlite::CLEAR_UNTRACKED.starts_with("delete"));
/// ```
pub const CLEAR_UNTRACKED: &str = "delete from carburetor_flag where name = 'untracked'";

/// Gives the file another origin, so that every replica starts again: for a copy that serves beside its original.
///
/// ```
/// assert!(carburetor::tracking::sqlite::NEW_ORIGIN.starts_with("update carburetor_clock set origin"));
/// ```
pub const NEW_ORIGIN: &str = "update carburetor_clock set origin = lower(hex(randomblob(8)))";

/// The statements that forget removals, conflicts and stored outcomes older than `age`. Run them in one transaction.
///
/// The horizon moves first, and never past the clock: a replica behind it starts over instead of missing a removal.
///
/// ```
/// # use carburetor::table::TableDefinition;
/// # let users = TableDefinition { table: "users".into(), ..Default::default() };
/// let month = std::time::Duration::from_secs(30 * 24 * 3600);
/// assert!(carburetor::tracking::sqlite::purge(&users, month).contains("2592000000000"));
/// ```
pub fn purge(table: &TableDefinition, age: Duration) -> String {
    let key = literal(&table.key());
    let since = since(age);
    let mut text = format!(
        "update carburetor_synced_table
  set horizon = max(horizon, min({since}, (select now from carburetor_clock)))
  where name = {key};
delete from {} where carburetor_removed_at < (select horizon from carburetor_synced_table where name = {key});
delete from carburetor_outcome where at < {since};
delete from carburetor_relay where at < {since} and answer is not null;
delete from carburetor_pause where ended < (select min(horizon) from carburetor_synced_table);\n",
        quoted(&object(table, "removal"))
    );
    if table.has_registers() {
        text += &format!(
            "delete from {} where carburetor_at < {since};\n",
            quoted(&object(table, "conflict"))
        );
    }
    text
}

/// The statements that forget the clocks of deletions older than `age`. Run them in one transaction.
///
/// Whether a change of an absent row came before or after its deletion can't be said any more then, so older changes are refused.
///
/// ```
/// # use carburetor::table::TableDefinition;
/// # let users = TableDefinition { table: "users".into(), ..Default::default() };
/// let year = std::time::Duration::from_secs(365 * 24 * 3600);
/// assert!(carburetor::tracking::sqlite::purge_deletions(&users, year).contains("set expired = max("));
/// ```
pub fn purge_deletions(table: &TableDefinition, age: Duration) -> String {
    if !table.has_registers() {
        return String::new();
    }
    let key = literal(&table.key());
    format!(
        "update carburetor_synced_table set expired = max(expired,
    (select {} from (select max(0, min({}, now)) as micros from carburetor_clock)))
  where name = {key};
delete from {} where carburetor_clock < (select expired from carburetor_synced_table where name = {key});\n",
        clock_of("micros"),
        since(age),
        quoted(&object(table, "register"))
    )
}

/// The instant `age` ago in microseconds.
fn since(age: Duration) -> String {
    let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
    format!("{SYSTEM_TIME} - {age}")
}

/// What `expired` becomes where deletions until now may have gone unseen or are forgotten.
pub(super) fn expired_now() -> String {
    format!(
        "max(expired, (select {} from carburetor_clock))",
        clock_of("now")
    )
}

/// The statements that start a table again on every replica, for what triggers can't see. Run them in one transaction.
///
/// ```
/// # use carburetor::table::TableDefinition;
/// # let users = TableDefinition { table: "users".into(), ..Default::default() };
/// assert!(carburetor::tracking::sqlite::reset(&users).contains("generation = generation + 1"));
/// ```
pub fn reset(table: &TableDefinition) -> String {
    reset_where(&format!("name = {}", literal(&table.key())), "")
}

/// Starts the tables again for which `condition` holds. Tokens carry the generation; the horizon, past every cutoff given out before, does the
/// same for bare timestamps. The clock follows it: with a horizon ahead of the next cutoff, each download would be a reset.
/// `more` is set beside.
pub(super) fn reset_where(condition: &str, more: &str) -> String {
    format!(
        "update carburetor_synced_table set generation = generation + 1, horizon = (select now + 2 from carburetor_clock){more}
  where {condition};
update carburetor_clock set now = (select max(horizon) - 1 from carburetor_synced_table)
  where now < (select max(horizon) - 1 from carburetor_synced_table);\n"
    )
}

/// The statement that gives one row a new stamp; its parameters are the id's columns in order.
///
/// ```
/// # use carburetor::table::{ColumnDefinition, TableDefinition};
/// # let users = TableDefinition { table: "users".into(), columns: vec![
/// #     ColumnDefinition { id: true, ..ColumnDefinition::new("id") },
/// #     ColumnDefinition { last_synced_at: true, ..ColumnDefinition::new("updated_at") }], ..Default::default() };
/// let touch = carburetor::tracking::sqlite::touch(&users);
/// assert_eq!(touch, r#"update "users" set "updated_at" = "updated_at" where "id" = ?"#);
/// ```
pub fn touch(table: &TableDefinition) -> String {
    let stamp = table
        .stamp()
        .or_else(|| table.ids().next())
        .map(ColumnDefinition::quoted)
        .unwrap_or_default();
    let id: Vec<String> = table
        .ids()
        .map(|column| format!("{} = ?", column.quoted()))
        .collect();
    format!(
        "update {} set {stamp} = {stamp} where {}",
        quoted(&table.table),
        id.join(" and ")
    )
}
