//! What tests of a program that uses Carburetor need.

#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
mod asynchronous;
#[cfg(feature = "replica")]
mod faulty;
#[cfg(feature = "replica")]
mod replica;
mod time;

#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
pub use asynchronous::allow_async;
#[cfg(feature = "replica")]
pub use faulty::{Fault, Faults, Faulty};
#[cfg(feature = "replica")]
pub use replica::set_replica_time;
pub use time::ManualTime;

use crate::backend::SyncBackend;
use crate::connection::SyncConnection;
use diesel::QueryResult;
use diesel::connection::TransactionManager;
use diesel::result::Error;

/// Allows downloads in the transaction that is open on `conn`, although it has written or will: for tests in Diesel's
/// `test_transaction` or after `begin_test_transaction`, which roll everything back.
///
/// Such downloads are not truthful: nothing may keep what they deliver beyond the test. `download_consistent` sees what other connections
/// commit in the meantime.
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
/// # conn.batch_execute("create table notes (id integer primary key)")?;
/// # Notes::tracking::<Sqlite>().install(&mut conn)?;
/// conn.begin_test_transaction()?;
/// conn.batch_execute("insert into notes (id) values (1)")?;
/// assert!(Notes::download(&mut conn, (None,)).is_err());
/// carburetor::testing::allow(&mut conn)?;
/// assert_eq!(Notes::download(&mut conn, (None,))?.0.rows.len(), 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `NotInTransaction` outside of a transaction, and a failed query.
pub fn allow<C: SyncConnection>(conn: &mut C) -> QueryResult<()> {
    let status = C::TransactionManager::transaction_manager_status_mut(conn);
    if status.transaction_depth()?.is_none() {
        return Err(Error::NotInTransaction);
    }
    conn.batch_execute(C::Backend::ALLOW_TESTING)
}
