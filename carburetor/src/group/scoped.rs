//! A group as one scope shows it.

use super::{DownloadTables, SyncGroup};
use crate::connection::SyncConnection;
use crate::cutoff::Assumptions;
use crate::download::{DownloadError, Response, Timestamps, blocking};
use std::marker::PhantomData;

/// A group as one scope shows it, made by [`SyncGroup::scoped`].
pub struct Scoped<'s, T, S> {
    scope: &'s S,
    assumptions: Assumptions,
    tables: PhantomData<fn() -> T>,
}

impl<T, S> std::fmt::Debug for Scoped<'_, T, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scoped")
            .field("assumptions", &self.assumptions)
            .finish_non_exhaustive()
    }
}

impl<'s, T, S> Scoped<'s, T, S> {
    pub(super) fn new(scope: &'s S) -> Self {
        Scoped {
            scope,
            assumptions: Assumptions::default(),
            tables: PhantomData,
        }
    }

    /// Relies on `assumptions` about the server instead of the default ones.
    pub fn assuming(self, assumptions: Assumptions) -> Self {
        Scoped {
            assumptions,
            ..self
        }
    }

    /// Downloads each table by a statement of its own: rows and removals of one table are of one instant, those of two tables need not be.
    ///
    /// # Errors
    ///
    /// A failed query, a scope that can't be used, or circumstances in which rows could be missed: [`DownloadError`] says which and what to do.
    pub fn download<C>(
        &self,
        conn: &mut C,
        timestamps: impl Into<Timestamps<SyncGroup<T, S>>>,
    ) -> Result<Response<T>, DownloadError>
    where
        C: SyncConnection,
        T: DownloadTables<C::Backend, S>,
    {
        blocking::download(conn, self.scope, &timestamps.into(), &self.assumptions)
    }

    /// Downloads all tables as they were at one instant, in a transaction of its own.
    ///
    /// # Errors
    ///
    /// As [`download`](Self::download); and inside a transaction of the caller.
    pub fn download_consistent<C>(
        &self,
        conn: &mut C,
        timestamps: impl Into<Timestamps<SyncGroup<T, S>>>,
    ) -> Result<Response<T>, DownloadError>
    where
        C: SyncConnection,
        T: DownloadTables<C::Backend, S>,
    {
        blocking::download_consistent(conn, self.scope, &timestamps.into(), &self.assumptions)
    }
}
