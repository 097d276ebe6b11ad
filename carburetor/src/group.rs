//! Groups: the tables that one application syncs together.

mod scoped;
mod tuple;

pub use scoped::Scoped;
pub use tuple::{DownloadTables, SyncTables};

use crate::connection::SyncConnection;
use crate::download::{DownloadError, Response, Timestamps};
use crate::scope::Everyone;
use std::marker::PhantomData;

/// The tables `T`, a tuple, that one application syncs together, each within what the scope `S` shows.
pub struct SyncGroup<T, S = Everyone>(PhantomData<fn() -> (T, S)>);

impl<T, S> std::fmt::Debug for SyncGroup<T, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SyncGroup")
    }
}

impl<T, S> SyncGroup<T, S> {
    /// The group as `scope` shows it.
    pub fn scoped(scope: &S) -> Scoped<'_, T, S> {
        Scoped::new(scope)
    }
}

impl<T> SyncGroup<T> {
    /// Downloads each table by a statement of its own. See [`Scoped::download`].
    pub fn download<C>(
        conn: &mut C,
        timestamps: impl Into<Timestamps<Self>>,
    ) -> Result<Response<T>, DownloadError>
    where
        C: SyncConnection,
        T: DownloadTables<C::Backend, Everyone>,
    {
        Self::scoped(&Everyone).download(conn, timestamps)
    }

    /// Downloads all tables as they were at one instant. See [`Scoped::download_consistent`].
    pub fn download_consistent<C>(
        conn: &mut C,
        timestamps: impl Into<Timestamps<Self>>,
    ) -> Result<Response<T>, DownloadError>
    where
        C: SyncConnection,
        T: DownloadTables<C::Backend, Everyone>,
    {
        Self::scoped(&Everyone).download_consistent(conn, timestamps)
    }
}
