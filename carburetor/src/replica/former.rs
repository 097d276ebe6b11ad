//! Tables that the group had once: what the account has in them is its own, too.

use super::account::forget_beside;
use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, BIND, Bind, applying, as_text};
use super::returning;
use super::show::{ANSWERED, DOWNLOADED};
use crate::table::quoted;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

impl Store {
    /// How many changes of the account the server has not answered, also of tables that the group no longer has.
    pub(super) fn unanswered(&self, conn: &mut SqliteConnection) -> Result<u64, ReplicaError> {
        let left: u64 = self.left_behind(conn)?.iter().map(|(_, left)| left).sum();
        Ok(self.pending(conn)? + left)
    }

    /// Forgets what is edited in tables that the group no longer has.
    pub(super) fn discard_left(&self, conn: &mut SqliteConnection) -> Result<(), ReplicaError> {
        for (table, _) in self.left_behind(conn)? {
            for kind in ["outbox", "below"] {
                empty(conn, &format!("carburetor_{kind}_{table}"))?;
            }
        }
        Ok(())
    }

    /// Removes the rows of tables that the group no longer has, and no other one of the file shows.
    pub(super) fn empty_former(&self, conn: &mut SqliteConnection) -> Result<(), ReplicaError> {
        let known = format!(
            "select name from carburetor_replicated as known where in_group = {BIND}
and not exists (select 1 from carburetor_replicated as other where other.name = known.name and other.in_group <> known.in_group)
and exists (select 1 from sqlite_schema where type = 'table' and name = known.name)"
        );
        for known in query::rows(conn, &known, [Bind::text(&self.group)])? {
            let table = as_text(&known[0]);
            if self.tables.iter().any(|own| own.definition.table == table) {
                continue;
            }
            let rows = format!("delete from {}", quoted(&table));
            let removed: QueryResult<()> = applying(conn, |conn| conn.batch_execute(&rows));
            removed.map_err(|error| {
                let problem = format!(
                    "the group no longer has the table, and the rows of the account can't be removed: {error}; let them go, or drop the table"
                );
                ReplicaError::Table {
                    table: table.clone(),
                    problem,
                }
            })?;
            for place in places(conn, &table)? {
                empty(conn, &place)?;
                forget_beside(conn, &place)?;
            }
            returning::forget(conn, &table)?;
            for kind in ["held", "shown"] {
                empty(conn, &format!("carburetor_{kind}_{table}"))?;
            }
        }
        Ok(())
    }
}

/// Where rows and ids of the table lie before they are shown.
fn places(conn: &mut SqliteConnection, table: &str) -> Result<Vec<String>, ReplicaError> {
    let own = "select name from sqlite_schema where type = 'table' and name glob 'carburetor_*'";
    let own = query::rows(conn, own, [])?;
    let own = own.iter().map(|own| as_text(&own[0]));
    let is_place = |own: &String| {
        let kinds = [
            DOWNLOADED.rows,
            DOWNLOADED.gone,
            ANSWERED.rows,
            ANSWERED.gone,
        ];
        kinds.iter().any(|kind| {
            let shelf = own
                .strip_prefix(&format!("carburetor_{kind}"))
                .and_then(|rest| rest.strip_suffix(&format!("_{table}")));
            shelf.is_some_and(|shelf| shelf.bytes().all(|digit| digit.is_ascii_digit()))
        })
    };
    Ok(own.filter(is_place).collect())
}

/// Empties a table of the replica's own, if it is there.
fn empty(conn: &mut SqliteConnection, name: &str) -> Result<(), ReplicaError> {
    let there = format!("select 1 from sqlite_schema where type = 'table' and name = {BIND}");
    if query::exists(conn, &there, [Bind::text(name)])? {
        conn.batch_execute(&format!("delete from {}", quoted(name)))?;
    }
    Ok(())
}
