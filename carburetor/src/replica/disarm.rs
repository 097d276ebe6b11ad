//! Migrations of a device's tables.

use super::dropped;
use super::query::{self, as_text};
use crate::connection::transact;
use crate::table::quoted;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// Takes the triggers of all replicas of the file away, so that a migration may drop columns and write rows of which the server hears nothing. What is written
/// from then on is not recorded, until [`Replica::open`](super::Replica::open) makes the triggers again. The rows of unsent edits are kept as they are until then, so that
/// [`Replica::rejected`](super::Replica::rejected) can tell what was written to a column that goes.
///
/// Call it before the file is opened, with the migrations behind it; [the guide](crate::guide::evolving) has the whole of it.
///
#[doc = include_str!("../../docs/examples/replica_disarm.md")]
///
/// # Errors
///
/// A failed statement.
pub fn disarm(conn: &mut SqliteConnection) -> QueryResult<()> {
    transact(conn, |conn| {
        dropped::remember(conn)?;
        let triggers = "select name from sqlite_schema where type = 'trigger' and substr(name, 1, 19) = 'carburetor_replica_'";
        for trigger in query::rows(conn, triggers, [])? {
            conn.batch_execute(&format!("drop trigger {}", quoted(&as_text(&trigger[0]))))?;
        }
        Ok(())
    })
}
