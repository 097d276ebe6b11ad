//! Which server the rows are of: another one has other stamps.

use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, BIND, Bind, as_integer, as_text};
use super::token;
use crate::change::Change;
use crate::wire::WireError;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// The origin of what is shown; none where no server has told one.
pub(super) fn known(conn: &mut SqliteConnection, group: &str) -> QueryResult<Option<String>> {
    let sql = format!("select origin from carburetor_group where name = {BIND}");
    let known = query::value(conn, &sql, [Bind::text(group)])?;
    Ok(known.is_some().then(|| as_text(&known)))
}

/// A server of this origin has answered. Where another one's rows are shown, or lie on the stage, that one may know nothing of what was answered, and
/// would not say so: the next download begins from the beginning.
pub(super) fn compare(conn: &mut SqliteConnection, group: &str, origin: &str) -> QueryResult<()> {
    match known(conn, group)?.is_some_and(|known| known != origin) {
        true => token::forget(conn, group),
        false => Ok(()),
    }
}

/// What a server of this origin says is about to be shown. What was edited on rows of another one is based on none of its stamps. The caller has a
/// transaction.
pub(super) fn follow(
    conn: &mut SqliteConnection,
    store: &Store,
    origin: Option<&str>,
) -> Result<(), ReplicaError> {
    let known = known(conn, &store.group)?;
    let Some(origin) = origin.filter(|origin| known.as_deref() != Some(*origin)) else {
        return Ok(());
    };
    let keep = format!("update carburetor_group set origin = {BIND} where name = {BIND}");
    query::execute(conn, &keep, [origin, &store.group].map(Bind::text))?;
    if known.is_none() {
        return Ok(());
    }
    for table in store.tables.iter().filter(|table| !table.takes_no_writes()) {
        let entries = format!(
            "update {} set carburetor_base = null; delete from {}",
            table.own("outbox"),
            table.own("below")
        );
        conn.batch_execute(&entries)?;
        unbase(
            conn,
            "carburetor_sending",
            "of_table",
            &table.definition.wire_name,
        )?;
    }
    unbase(conn, "carburetor_held_change", "in_group", &store.group)
}

/// The frozen changes that `column` says are of `owner`, without a base.
fn unbase(
    conn: &mut SqliteConnection,
    frozen: &str,
    column: &str,
    owner: &str,
) -> Result<(), ReplicaError> {
    let sql = format!("select seq, change from {frozen} where {column} = {BIND}");
    for row in query::rows(conn, &sql, [Bind::text(owner)])? {
        let unreadable = |error: serde_json::Error| WireError::new(error.to_string());
        let mut change: Change = serde_json::from_str(&as_text(&row[1])).map_err(unreadable)?;
        change.base = None;
        let keep = format!("update {frozen} set change = {BIND} where seq = {BIND}");
        let binds = [Bind::json(&change)?, Bind::integer(as_integer(&row[0]))];
        query::execute(conn, &keep, binds)?;
    }
    Ok(())
}
