//! What the tracking is to each backend.

#[cfg(feature = "postgres-backend")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use super::{Problem, Tracking, TrackingError};
use crate::backend::SyncBackend;
use crate::connection::SyncConnection;
use crate::table::TableDefinition;
use diesel::QueryResult;
use std::time::Duration;

/// The tracking's part of a [`SyncBackend`](crate::backend::SyncBackend), which seals it.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// fn takes_a_backend<DB: carburetor::tracking::TrackingBackend>() {}
/// takes_a_backend::<diesel::sqlite::Sqlite>();
/// # }
/// ```
pub trait TrackingBackend: Sized {
    /// Has a row with a value where the registry exists.
    #[doc(hidden)]
    const REGISTERED: &'static str;
    /// The definitions in the registry.
    #[doc(hidden)]
    const DEFINITIONS: &'static str;
    /// Starts a table's replicas again.
    #[doc(hidden)]
    fn reset_sql(definition: &TableDefinition) -> String;
    /// Forgets old removals.
    #[doc(hidden)]
    fn purge_sql(definition: &TableDefinition, age: Duration) -> String;

    /// Switches stamps off until the transaction ends, and says how to switch them back.
    #[doc(hidden)]
    fn begin_untracked<C>(conn: &mut C) -> QueryResult<Restore>
    where
        Self: SyncBackend,
        C: SyncConnection<Backend = Self>;

    #[doc(hidden)]
    fn install<C>(conn: &mut C, tracking: &Tracking<Self>) -> Result<(), TrackingError>
    where
        Self: SyncBackend,
        C: SyncConnection<Backend = Self>;

    #[doc(hidden)]
    fn verify<C>(conn: &mut C, tracking: &Tracking<Self>) -> Result<Vec<Problem>, TrackingError>
    where
        Self: SyncBackend,
        C: SyncConnection<Backend = Self>;
}

/// The statement that switches stamps on again, if it was this call that switched them off.
#[derive(Debug)]
#[doc(hidden)]
pub struct Restore(pub(super) Option<String>);
