//! The tracking on an asynchronous connection: the twins, with the suffix `_async`, of what the modules beside this one have.

#![allow(
    clippy::manual_async_fn,
    reason = "an `async fn` is not known to be `Send` for every lifetime"
)]

mod untracked;
#[cfg(feature = "postgres-backend")]
mod watermark;

pub use untracked::untracked_async;
#[cfg(feature = "postgres-backend")]
pub use watermark::watermark_async;

use super::runner::Awaiting;
use super::touch::touch_by;
#[cfg(feature = "postgres-backend")]
use super::upkeep::adopt_origin_by;
use super::upkeep::{new_origin_by, reset_by};
use super::{Installed, Problem, Tracking, TrackingError};
use crate::backend::SyncBackend;
use crate::connection::SyncConnectionAsync;
use crate::table::TableOn;
use diesel::QueryResult;
use std::time::Duration;

impl<DB: SyncBackend> Tracking<DB> {
    /// Installs the tracking, or brings it up to date. See [`install`](Self::install).
    ///
    /// Let the future finish: one that is dropped before its end leaves its transaction open, on SQLite unseen by a pool.
    ///
    /// ```
    /// # #[cfg(feature = "async-postgres")] {
    /// use carburetor::tracking::{Tracking, TrackingError};
    /// use diesel_async::AsyncPgConnection;
    /// async fn prepare(conn: &mut AsyncPgConnection) -> Result<(), TrackingError> {
    ///     Tracking::of([]).install_async(conn).await
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`install`](Self::install).
    pub fn install_async<C>(
        &self,
        conn: &mut C,
    ) -> impl Future<Output = Result<(), TrackingError>> + Send
    where
        C: SyncConnectionAsync<Database = DB>,
    {
        async move { self.install_by(&mut Awaiting::on(conn)).await }
    }

    /// What is wrong in the database, and what to do. See [`verify`](Self::verify).
    ///
    /// ```
    /// # #[cfg(feature = "async-postgres")] {
    /// use carburetor::tracking::{Tracking, TrackingError};
    /// use diesel_async::AsyncPgConnection;
    /// async fn is_healthy(conn: &mut AsyncPgConnection) -> Result<bool, TrackingError> {
    ///     Ok(Tracking::of([]).verify_async(conn).await?.is_empty())
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// A failed query.
    pub fn verify_async<C>(
        &self,
        conn: &mut C,
    ) -> impl Future<Output = Result<Vec<Problem>, TrackingError>> + Send
    where
        C: SyncConnectionAsync<Database = DB>,
    {
        async move { self.verify_by(&mut Awaiting::on(conn)).await }
    }

    /// What works in the database and may surprise, and what to do. See [`warnings`](Self::warnings).
    ///
    /// ```
    /// # #[cfg(feature = "async-postgres")] {
    /// use carburetor::tracking::{Tracking, TrackingError};
    /// use diesel_async::AsyncPgConnection;
    /// async fn warn(conn: &mut AsyncPgConnection) -> Result<(), TrackingError> {
    ///     for warning in Tracking::of([]).warnings_async(conn).await? {
    ///         println!("{warning}");
    ///     }
    ///     Ok(())
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// A failed query.
    pub fn warnings_async<C>(
        &self,
        conn: &mut C,
    ) -> impl Future<Output = Result<Vec<Problem>, TrackingError>> + Send
    where
        C: SyncConnectionAsync<Database = DB>,
    {
        async move { self.warnings_by(&mut Awaiting::on(conn)).await }
    }

    /// Forgets the removals that are older than `age`. See [`purge`](Self::purge).
    ///
    /// ```
    /// # #[cfg(feature = "async-postgres")] {
    /// use carburetor::tracking::Tracking;
    /// use diesel_async::AsyncPgConnection;
    /// async fn every_night(conn: &mut AsyncPgConnection) -> diesel::QueryResult<()> {
    ///     let month = std::time::Duration::from_secs(30 * 24 * 3600);
    ///     Tracking::of([]).purge_async(conn, month).await
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`purge`](Self::purge).
    pub fn purge_async<C>(
        &self,
        conn: &mut C,
        age: Duration,
    ) -> impl Future<Output = QueryResult<()>> + Send
    where
        C: SyncConnectionAsync<Database = DB>,
    {
        async move { self.purge_by(&mut Awaiting::on(conn), age).await }
    }

    /// Forgets the clocks of deletions that are older than `age`. See [`purge_deletions`](Self::purge_deletions).
    ///
    /// ```
    /// # #[cfg(feature = "async-postgres")] {
    /// use carburetor::tracking::Tracking;
    /// use diesel_async::AsyncPgConnection;
    /// async fn every_night(conn: &mut AsyncPgConnection) -> diesel::QueryResult<()> {
    ///     let year = std::time::Duration::from_secs(365 * 24 * 3600);
    ///     Tracking::of([]).purge_deletions_async(conn, year).await
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`purge`](Self::purge).
    pub fn purge_deletions_async<C>(
        &self,
        conn: &mut C,
        age: Duration,
    ) -> impl Future<Output = QueryResult<()>> + Send
    where
        C: SyncConnectionAsync<Database = DB>,
    {
        async move { self.purge_deletions_by(&mut Awaiting::on(conn), age).await }
    }
}

impl Installed {
    /// Reads them from the database. See [`read`](Self::read).
    ///
    /// ```
    /// # #[cfg(feature = "async-postgres")] {
    /// use carburetor::tracking::{Installed, TrackingError};
    /// use diesel_async::AsyncPgConnection;
    /// async fn is_tracked(conn: &mut AsyncPgConnection) -> Result<bool, TrackingError> {
    ///     Ok(!Installed::read_async(conn).await?.definitions().is_empty())
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_async<C>(conn: &mut C) -> impl Future<Output = Result<Self, TrackingError>> + Send
    where
        C: SyncConnectionAsync,
    {
        async move { Self::read_by(&mut Awaiting::on(conn)).await }
    }
}

/// Gives the row with this id a new stamp, so that it is downloaded again. See [`touch`](super::touch).
///
/// ```
/// # #[cfg(feature = "async-sqlite")] {
/// # use carburetor::{SyncTable, tracking};
/// # use diesel::sqlite::SqliteConnection;
/// # use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
/// # diesel::table! { notes (id) { id -> Integer, last_synced_at -> BigInt, } }
/// # #[derive(SyncTable)]
/// # #[sync(backends(sqlite))]
/// # struct Note { id: i32, last_synced_at: i64 }
/// async fn again(conn: &mut SyncConnectionWrapper<SqliteConnection>) -> diesel::QueryResult<bool> {
///     tracking::touch_async::<Note, _>(conn, &1).await
/// }
/// # }
/// ```
///
/// # Errors
///
/// A failed query.
pub fn touch_async<M, C>(conn: &mut C, id: &M::Id) -> impl Future<Output = QueryResult<bool>> + Send
where
    C: SyncConnectionAsync,
    M: TableOn<C::Database>,
{
    async move { touch_by::<M, _>(&mut Awaiting::on(conn), id).await }
}

/// Makes every replica download the table from the beginning. See [`reset`](super::reset).
///
/// ```
/// # #[cfg(feature = "async-sqlite")] {
/// # use carburetor::{SyncTable, tracking};
/// # use diesel::sqlite::SqliteConnection;
/// # use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
/// # diesel::table! { notes (id) { id -> Integer, last_synced_at -> BigInt, } }
/// # #[derive(SyncTable)]
/// # #[sync(backends(sqlite))]
/// # struct Note { id: i32, last_synced_at: i64 }
/// async fn restored(conn: &mut SyncConnectionWrapper<SqliteConnection>) -> diesel::QueryResult<()> {
///     tracking::reset_async::<Note, _>(conn).await
/// }
/// # }
/// ```
///
/// # Errors
///
/// A failed query.
pub fn reset_async<M, C>(conn: &mut C) -> impl Future<Output = QueryResult<()>> + Send
where
    C: SyncConnectionAsync,
    M: TableOn<C::Database>,
{
    async move { reset_by::<M, _>(&mut Awaiting::on(conn)).await }
}

/// Gives the database another origin. See [`new_origin`](super::new_origin).
///
/// ```no_run
/// # #[cfg(feature = "async-postgres")] {
/// # async fn restored() -> Result<(), Box<dyn std::error::Error>> {
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// let mut conn = AsyncPgConnection::establish("postgres://restored/app").await?;
/// carburetor::tracking::new_origin_async(&mut conn).await?;
/// # Ok(())
/// # }
/// # }
/// ```
///
/// # Errors
///
/// As [`new_origin`](super::new_origin).
pub fn new_origin_async<C>(conn: &mut C) -> impl Future<Output = QueryResult<()>> + Send
where
    C: SyncConnectionAsync,
{
    async move { new_origin_by(&mut Awaiting::on(conn)).await }
}

/// Keeps the origin that the database had in another cluster or under another name. See [`adopt_origin`](super::adopt_origin).
///
/// ```no_run
/// # #[cfg(feature = "async-postgres")] {
/// # async fn upgraded() -> Result<(), Box<dyn std::error::Error>> {
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// let mut conn = AsyncPgConnection::establish("postgres://upgraded/app").await?;
/// carburetor::tracking::adopt_origin_async(&mut conn).await?;
/// # Ok(())
/// # }
/// # }
/// ```
///
/// # Errors
///
/// As [`adopt_origin`](super::adopt_origin).
#[cfg(feature = "postgres-backend")]
pub fn adopt_origin_async<C>(conn: &mut C) -> impl Future<Output = QueryResult<()>> + Send
where
    C: SyncConnectionAsync<Backend = diesel::pg::Pg>,
{
    async move { adopt_origin_by(&mut Awaiting::on(conn)).await }
}
