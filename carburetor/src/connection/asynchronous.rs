//! Statements on an asynchronous connection.

use super::{Flow, PacedRows};
use crate::backend::SyncBackend;
use crate::statement::Statement;
use diesel::QueryResult;
use diesel::row::Row;
use diesel_async::{AsyncConnection, TransactionManager};
use futures_util::{Stream, TryStreamExt};
use std::num::NonZeroU32;

/// An asynchronous connection: `diesel_async::AsyncPgConnection`, or a `SyncConnectionWrapper<SqliteConnection>`.
///
/// What a pool lends dereferences to one: pass `&mut *conn`.
///
#[doc = include_str!("../../docs/examples/sync_connection_async.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an asynchronous connection that carburetor can use",
    note = "pass `&mut AsyncPgConnection` (feature `async-postgres`) or `&mut SyncConnectionWrapper<SqliteConnection>` (feature `async-sqlite`); what a pool lends dereferences to one of them: `&mut *conn`"
)]
pub trait SyncConnectionAsync: AsyncConnection {
    /// The backend, known to be one that can be synced from.
    type Database: SyncBackend;

    /// The connection while several statements run on it.
    #[doc(hidden)]
    type Shared<'c>: SharedConnection<Self::Database>
    where
        Self: 'c;

    /// Whether statements are sent without waiting for the answers to those before.
    #[doc(hidden)]
    const PIPELINED: bool;

    #[doc(hidden)]
    fn share(&mut self) -> Self::Shared<'_>;

    /// One operation of the connection. Dropped midway, it ends first where a connection can't be used while an operation is under way.
    #[doc(hidden)]
    fn operation<F: Future + Send>(work: F) -> impl Future<Output = F::Output> + Send;

    /// Rolls back at once what a future that was dropped has begun above this depth of transactions.
    #[doc(hidden)]
    fn abandon(&mut self, depth: u32);

    /// Waits until the database has ended what was dropped midway; whether the connection can be lent again.
    #[cfg(feature = "axum")]
    #[doc(hidden)]
    fn recover(&mut self) -> impl Future<Output = bool> + Send;
}

/// A connection on which several statements may be under way; they run in the order in which they are first polled.
///
#[doc = include_str!("../../docs/examples/shared_connection.md")]
#[allow(
    private_interfaces,
    private_bounds,
    reason = "sealed by its hidden method: nobody else calls it"
)]
pub trait SharedConnection<DB: SyncBackend>: Send + Sync {
    #[doc(hidden)]
    fn run<T>(
        &self,
        statement: Statement<'_, DB>,
        rows: &mut T,
    ) -> impl Future<Output = Result<(), T::Error>> + Send
    where
        T: PacedRows<DB>;
}

/// How many transactions are open on `conn`, one within the other, as Diesel knows.
pub(crate) fn depth<C: SyncConnectionAsync>(conn: &mut C) -> QueryResult<u32> {
    let status = C::TransactionManager::transaction_manager_status_mut(conn);
    Ok(status.transaction_depth()?.map_or(0, NonZeroU32::get))
}

/// Hands the rows of an answer over one by one.
pub(super) async fn take<'r, DB, R, T>(
    mut answer: impl Stream<Item = QueryResult<R>> + Unpin + Send,
    rows: &mut T,
) -> Result<(), T::Error>
where
    DB: SyncBackend,
    R: Row<'r, DB>,
    T: PacedRows<DB>,
{
    while let Some(row) = answer.try_next().await? {
        if rows.take(&row)? == Flow::Stop {
            break;
        }
        drop(row);
        rows.pause().await?;
    }
    Ok(())
}
