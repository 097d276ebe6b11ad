//! Notifications of commits, for servers that wait for them instead of asking.

use crate::table::{TableDefinition, literal, quoted};

/// The trigger that notifies.
pub(super) const TRIGGER: &str = "~carburetor_notify";

/// Makes every statement that writes one of the tables notify the channel `carburetor` at its commit.
///
/// ```
/// # use carburetor::{table::TableDefinition, tracking::postgres::notify};
/// let users = TableDefinition { table: "users".into(), ..TableDefinition::default() };
/// assert!(notify(&[&users]).contains("after insert or update or delete or truncate on \"users\""));
/// ```
pub fn notify(definitions: &[&TableDefinition]) -> String {
    let mut sql = format!(
        "create schema if not exists carburetor;
create or replace function carburetor.notify() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as {};
",
        literal("begin perform pg_notify('carburetor', ''); return null; end")
    );
    for definition in definitions {
        sql += &format!(
            "create or replace trigger {} after insert or update or delete or truncate on {} for each statement execute function carburetor.notify();
",
            quoted(TRIGGER),
            definition.sql_name(),
        );
    }
    sql
}
