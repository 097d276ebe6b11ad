//! Transactions of a synchronous connection, which end with the error that ended them.
//!
//! SQLite rolls a transaction back by itself when the disk is full, when it can't read or write the file, when memory runs out, and when it is
//! interrupted. The rollback that follows finds none, and Diesel's own transactions return the error of that.

#[cfg(feature = "replica")]
use diesel::connection::AnsiTransactionManager;
use diesel::connection::{Connection, TransactionManager};
use diesel::result::Error;
#[cfg(feature = "replica")]
use diesel::sqlite::SqliteConnection;

/// Runs `work` in a transaction, or in a savepoint within one.
pub(crate) fn transact<C, T, E>(
    conn: &mut C,
    work: impl FnOnce(&mut C) -> Result<T, E>,
) -> Result<T, E>
where
    C: Connection,
    E: From<Error>,
{
    C::TransactionManager::begin_transaction(conn)?;
    let done = work(conn);
    end(conn, done)
}

/// Runs `work` in a transaction that is the only one to write from its beginning on.
#[cfg(feature = "replica")]
pub(crate) fn transact_alone<T, E>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<Error>,
{
    AnsiTransactionManager::begin_transaction_sql(conn, "begin immediate")?;
    let done = work(conn);
    end(conn, done)
}

/// Commits, after an error rolls back. Whether there is still something to roll back, and whether the connection is broken, Diesel remembers.
fn end<C, T, E>(conn: &mut C, done: Result<T, E>) -> Result<T, E>
where
    C: Connection,
    E: From<Error>,
{
    match done {
        Ok(value) => {
            C::TransactionManager::commit_transaction(conn)?;
            Ok(value)
        }
        Err(error) => {
            let _ = C::TransactionManager::rollback_transaction(conn);
            Err(error)
        }
    }
}
