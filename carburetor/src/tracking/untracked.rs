//! Writing without stamps.

use super::TrackingBackend;
use super::backend::Restore;
use super::runner::{Blocking, Runner, complete};
use crate::connection::{SyncConnection, transact};

/// Runs `write` in a transaction of its own, or a savepoint of the caller's, in which writes get no stamp: replicas are not told of them.
///
/// For columns that replicas don't see, or a backfill that they would make themselves. Removals are written all the same, because a replica
/// that kept a row which is gone would show it forever. Calls may be nested. However `write` ends, writes after it are
/// stamped again: an error rolls the switch back with the rest, and so does the end of the transaction after a panic.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// # use carburetor::{SyncGroup, SyncTable};
/// # use diesel::{connection::SimpleConnection, prelude::*, sqlite::Sqlite};
/// # diesel::table! { notes (id) { id -> Integer, last_synced_at -> BigInt, } }
/// # #[derive(SyncTable)]
/// # #[sync(backends(sqlite))]
/// # struct Note { id: i32, last_synced_at: i64 }
/// # type Notes = SyncGroup<(Note,)>;
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # conn.batch_execute("create table notes (id integer primary key, views integer)")?;
/// # Notes::tracking::<Sqlite>().install(&mut conn)?;
/// conn.batch_execute("insert into notes (id, views) values (1, 0)")?;
/// let first = Notes::download(&mut conn, (None,))?;
/// carburetor::untracked(&mut conn, |conn| conn.batch_execute("update notes set views = 1"))?;
/// assert!(Notes::download(&mut conn, first.next())?.0.rows.is_empty());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// What `write` returns, after a rollback; or a failed query of the switch itself.
pub fn untracked<C, R, E>(conn: &mut C, write: impl FnOnce(&mut C) -> Result<R, E>) -> Result<R, E>
where
    C: SyncConnection,
    E: From<diesel::result::Error>,
{
    transact(conn, |conn| {
        let restore = complete(C::Backend::begin_untracked(&mut Blocking(conn)))?;
        let written = write(conn)?;
        complete(end_untracked(&mut Blocking(conn), restore))?;
        Ok(written)
    })
}

/// Switches stamps on again, where it was this call that switched them off.
pub(super) async fn end_untracked<R: Runner>(
    runner: &mut R,
    Restore(restore): Restore,
) -> diesel::QueryResult<()> {
    match restore {
        Some(restore) => runner.execute(&restore).await,
        None => Ok(()),
    }
}
