//! Writing without stamps on an asynchronous connection.

use crate::connection::SyncConnectionAsync;
use crate::tracking::TrackingBackend;
use crate::tracking::runner::{Awaiting, Runner};
use crate::tracking::untracked::end_untracked;
use diesel::result::Error;

/// Runs `write` in a transaction of its own, or a savepoint of the caller's, in which writes get no stamp. See [`untracked`](crate::untracked()).
///
/// A future that is dropped before its end is rolled back; a connection to PostgreSQL then fails whatever transaction is asked of it next, and pools close it.
///
/// ```
/// # #[cfg(feature = "async-postgres")] {
/// use carburetor::tracking::untracked_async;
/// use diesel::QueryResult;
/// use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
/// async fn count_views(conn: &mut AsyncPgConnection) -> QueryResult<()> {
///     untracked_async(conn, async |conn| conn.batch_execute("update notes set views = 1").await).await
/// }
/// # }
/// ```
///
/// # Errors
///
/// What `write` returns, after a rollback; or a failed query of the switch itself.
pub fn untracked_async<'a, 'c, C, R, E, F>(
    conn: &'c mut C,
    write: F,
) -> impl Future<Output = Result<R, E>> + Send + 'c
where
    C: SyncConnectionAsync,
    for<'r> F: AsyncFnOnce(&'r mut C) -> Result<R, E>
        + SendingFn<&'r mut C, Result<R, E>, Future: Send>
        + Send
        + 'a,
    E: From<Error> + Send + 'a,
    R: Send + 'a,
    'a: 'c,
{
    async move {
        let mut transaction = Awaiting::on(conn);
        transaction.begin().await?;
        let written = within(transaction.conn(), write).await;
        transaction.end(written).await
    }
}

async fn within<C, R, E, F>(conn: &mut C, write: F) -> Result<R, E>
where
    C: SyncConnectionAsync,
    for<'r> F: AsyncFnOnce(&'r mut C) -> Result<R, E>
        + SendingFn<&'r mut C, Result<R, E>, Future: Send>
        + Send,
    E: From<Error>,
{
    let restore = C::Database::begin_untracked(&mut Awaiting::on(conn)).await?;
    let written = write(conn).await?;
    end_untracked(&mut Awaiting::on(conn), restore).await?;
    Ok(written)
}

/// An asynchronous closure whose future can be named, and so be known to be `Send`; every closure is one, and diesel-async has the same.
pub trait SendingFn<T, R>:
    AsyncFnOnce(T) -> R + FnOnce(T) -> <Self as SendingFn<T, R>>::Future
{
    /// What the closure returns.
    type Future: Future<Output = R>;
}

impl<F, T, R, Fut> SendingFn<T, R> for F
where
    F: AsyncFnOnce(T) -> R + FnOnce(T) -> Fut,
    Fut: Future<Output = R>,
{
    type Future = Fut;
}
