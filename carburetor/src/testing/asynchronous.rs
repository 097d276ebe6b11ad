//! What tests on an asynchronous connection need.

use crate::backend::SyncBackend;
use crate::connection::SyncConnectionAsync;
use diesel::QueryResult;
use diesel::result::Error;
use diesel_async::TransactionManager;

/// Allows downloads in the transaction that is open on `conn`, although it has written or will. See [`allow`](super::allow).
///
/// ```
/// # #[cfg(feature = "async-postgres")] {
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// async fn test_connection(url: &str) -> Result<AsyncPgConnection, Box<dyn std::error::Error>> {
///     let mut conn = AsyncPgConnection::establish(url).await?;
///     conn.begin_test_transaction().await?;
///     carburetor::testing::allow_async(&mut conn).await?;
///     Ok(conn)
/// }
/// # }
/// ```
///
/// # Errors
///
/// `NotInTransaction` outside of a transaction, and a failed query.
#[allow(
    clippy::manual_async_fn,
    reason = "an `async fn` is not known to be `Send` for every lifetime"
)]
pub fn allow_async<C>(conn: &mut C) -> impl Future<Output = QueryResult<()>> + Send
where
    C: SyncConnectionAsync,
{
    async move {
        let status = C::TransactionManager::transaction_manager_status_mut(conn);
        if status.transaction_depth()?.is_none() {
            return Err(Error::NotInTransaction);
        }
        conn.batch_execute(C::Database::ALLOW_TESTING).await
    }
}
