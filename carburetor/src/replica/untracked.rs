//! Writing what isn't uploaded.

use diesel::connection::{Connection, SimpleConnection};
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
        conn.batch_execute(&format!(
            "update carburetor_replica set untracked = untracked {by}"
        ))
    };
    conn.transaction(|conn| {
        switch(conn, "+ 1")?;
        let written = write(conn)?;
        switch(conn, "- 1")?;
        Ok(written)
    })
}
