//! Downloads of a group that shows every row to everybody.

use crate::connection::SyncConnectionAsync;
use crate::download::{DownloadError, Response, Timestamps};
use crate::group::{DownloadTablesAsync, SyncGroup};
use crate::scope::Everyone;
use tokio::io::AsyncWrite;

impl<T> SyncGroup<T> {
    /// Downloads each table by a statement of its own. See [`Scoped::download_async`](crate::Scoped::download_async).
    ///
    #[doc = include_str!("../../../docs/examples/group_download_async.md")]
    pub fn download_async<C>(
        conn: &mut C,
        timestamps: impl Into<Timestamps<Self>>,
    ) -> impl Future<Output = Result<Response<T>, DownloadError>> + Send
    where
        C: SyncConnectionAsync,
        T: DownloadTablesAsync<C::Database, Everyone>,
    {
        let timestamps = timestamps.into();
        async move {
            Self::scoped(&Everyone)
                .download_async(conn, timestamps)
                .await
        }
    }

    /// Downloads all tables as they were at one instant. See [`Scoped::download_consistent_async`](crate::Scoped::download_consistent_async).
    ///
    #[doc = include_str!("../../../docs/examples/group_download_consistent_async.md")]
    pub fn download_consistent_async<C>(
        conn: &mut C,
        timestamps: impl Into<Timestamps<Self>>,
    ) -> impl Future<Output = Result<Response<T>, DownloadError>> + Send
    where
        C: SyncConnectionAsync,
        T: DownloadTablesAsync<C::Database, Everyone>,
    {
        let timestamps = timestamps.into();
        async move {
            Self::scoped(&Everyone)
                .download_consistent_async(conn, timestamps)
                .await
        }
    }

    /// Writes a download as JSON. See [`Scoped::download_json_async`](crate::Scoped::download_json_async).
    ///
    #[doc = include_str!("../../../docs/examples/group_download_json_async.md")]
    pub fn download_json_async<C, W>(
        conn: &mut C,
        timestamps: impl Into<Timestamps<Self>>,
        writer: &mut W,
    ) -> impl Future<Output = Result<(), DownloadError>> + Send
    where
        C: SyncConnectionAsync,
        T: DownloadTablesAsync<C::Database, Everyone>,
        W: AsyncWrite + Unpin + Send,
    {
        let timestamps = timestamps.into();
        async move {
            Self::scoped(&Everyone)
                .download_json_async(conn, timestamps, writer)
                .await
        }
    }
}
