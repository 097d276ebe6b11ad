//! The uploads of a group.

#![allow(
    clippy::manual_async_fn,
    reason = "an `async fn` is not known to be `Send` for every lifetime"
)]

use super::error::UploadError;
use super::options::UploadOptions;
use super::procedure;
use crate::change::Changes;
use crate::connection::SyncConnection;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
use crate::connection::SyncConnectionAsync;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
use crate::connection::runner::Awaiting;
use crate::connection::runner::{Blocking, complete};
use crate::group::{Scoped, SyncGroup, UploadTables, assert_named_once};
use crate::outcome::Outcomes;
use crate::scope::Everyone;

impl<T> SyncGroup<T> {
    /// Applies a replica's changes and answers each one, in their order. See [`Scoped::upload`].
    ///
    #[doc = include_str!("../../docs/examples/upload.md")]
    ///
    /// # Errors
    ///
    /// As [`Scoped::upload`].
    pub fn upload<C>(conn: &mut C, changes: &Changes) -> Result<Outcomes, UploadError>
    where
        C: SyncConnection,
        T: UploadTables<C::Backend, Everyone>,
    {
        Self::scoped(&Everyone).upload(conn, changes)
    }

    /// Applies a replica's changes and answers each one, in their order. See [`Scoped::upload`].
    ///
    #[doc = include_str!("../../docs/examples/upload_async.md")]
    ///
    /// # Errors
    ///
    /// As [`Scoped::upload`].
    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    pub fn upload_async<C>(
        conn: &mut C,
        changes: &Changes,
    ) -> impl Future<Output = Result<Outcomes, UploadError>> + Send
    where
        C: SyncConnectionAsync,
        T: UploadTables<C::Database, Everyone>,
    {
        async move { Self::scoped(&Everyone).upload_async(conn, changes).await }
    }
}

impl<T, S> Scoped<'_, T, S> {
    /// Applies a replica's changes and answers each one, in their order: in one transaction (a savepoint of the caller's, if one is open), and
    /// only rows that the scope shows, before and after.
    ///
    /// What was answered before is answered alike, and nothing is written again.
    ///
    #[doc = include_str!("../../docs/examples/scoped_upload.md")]
    ///
    /// # Errors
    ///
    /// What keeps the upload as a whole from being applied: then nothing of it was written, and the replica keeps its changes. What is wrong with
    /// one change is its [`Outcome`](crate::outcome::Outcome).
    pub fn upload<C>(&self, conn: &mut C, changes: &Changes) -> Result<Outcomes, UploadError>
    where
        C: SyncConnection,
        T: UploadTables<C::Backend, S>,
    {
        self.upload_with(conn, changes, &UploadOptions::default())
    }

    /// [`upload`](Self::upload) as `options` say.
    ///
    #[doc = include_str!("../../docs/examples/upload_with.md")]
    ///
    /// # Errors
    ///
    /// As [`upload`](Self::upload).
    pub fn upload_with<C>(
        &self,
        conn: &mut C,
        changes: &Changes,
        options: &UploadOptions,
    ) -> Result<Outcomes, UploadError>
    where
        C: SyncConnection,
        T: UploadTables<C::Backend, S>,
    {
        const { assert_named_once(T::NAMES) };
        let tables = T::uploads(self.scope())?;
        complete(procedure::upload(
            &mut Blocking(conn),
            &tables,
            changes,
            options,
        ))
    }

    /// Applies a replica's changes and answers each one. See [`upload`](Self::upload).
    ///
    /// A future that is dropped is rolled back: on SQLite to where the upload began, which the drop waits for; on PostgreSQL with the caller's transaction,
    /// if one is open, and the connection then fails every transaction that is asked of it.
    ///
    #[doc = include_str!("../../docs/examples/scoped_upload_async.md")]
    ///
    /// # Errors
    ///
    /// As [`upload`](Self::upload).
    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    pub fn upload_async<C>(
        &self,
        conn: &mut C,
        changes: &Changes,
    ) -> impl Future<Output = Result<Outcomes, UploadError>> + Send
    where
        C: SyncConnectionAsync,
        S: Sync,
        T: UploadTables<C::Database, S>,
    {
        async move {
            self.upload_with_async(conn, changes, &UploadOptions::default())
                .await
        }
    }

    /// [`upload_async`](Self::upload_async) as `options` say.
    ///
    #[doc = include_str!("../../docs/examples/upload_with_async.md")]
    ///
    /// # Errors
    ///
    /// As [`upload`](Self::upload).
    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    pub fn upload_with_async<C>(
        &self,
        conn: &mut C,
        changes: &Changes,
        options: &UploadOptions,
    ) -> impl Future<Output = Result<Outcomes, UploadError>> + Send
    where
        C: SyncConnectionAsync,
        S: Sync,
        T: UploadTables<C::Database, S>,
    {
        const { assert_named_once(T::NAMES) };
        async move {
            let tables = T::uploads(self.scope())?;
            procedure::upload(&mut Awaiting::on(conn), &tables, changes, options).await
        }
    }
}
