//! Writing what isn't uploaded.

use super::query;
use crate::connection::transact;
use diesel::sqlite::SqliteConnection;

/// Runs `write` in a transaction of its own, or a savepoint of the caller's, in which nothing is recorded for the server: the replica's row
/// keeps what is written until the server's next version of it comes.
///
#[doc = include_str!("../../docs/examples/replica_untracked.md")]
///
/// # Errors
///
/// What `write` returns, after a rollback; or a failed statement of the switch itself.
pub fn untracked<T, E>(
    conn: &mut SqliteConnection,
    write: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    // A counter, so that calls may be nested. An error rolls it back with the rest.
    let switch = |conn: &mut SqliteConnection, by: &str| {
        let sql = format!("update carburetor_replica set untracked = untracked {by}");
        query::execute(conn, &sql, [])
    };
    transact(conn, |conn| {
        switch(conn, "+ 1")?;
        let written = write(conn)?;
        // SQLite may have rolled all of it back meanwhile, and `write` gone on.
        match switch(conn, "- 1 where untracked > 0")? {
            0 => Err(diesel::result::Error::NotInTransaction.into()),
            _ => Ok(written),
        }
    })
}
