//! What the tracking is to each backend.

#[cfg(feature = "postgres-backend")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use super::runner::Runner;
use super::{Problem, Tracking, TrackingError};
use crate::backend::SyncBackend;
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
#[allow(
    private_bounds,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
pub trait TrackingBackend: Sized {
    /// Has a row with a value where the registry exists.
    #[doc(hidden)]
    const REGISTERED: &'static str;
    /// The definitions in the registry.
    #[doc(hidden)]
    const DEFINITIONS: &'static str;
    /// Gives the database another origin.
    #[doc(hidden)]
    const NEW_ORIGIN: &'static str;
    /// Starts a table's replicas again.
    #[doc(hidden)]
    fn reset_sql(definition: &TableDefinition) -> String;
    /// Forgets old removals.
    #[doc(hidden)]
    fn purge_sql(definition: &TableDefinition, age: Duration) -> String;

    /// Forgets the clocks of old deletions.
    #[doc(hidden)]
    fn purge_deletions_sql(definition: &TableDefinition, age: Duration) -> String;

    /// Switches stamps off until the transaction ends, and says how to switch them back.
    #[doc(hidden)]
    fn begin_untracked<R>(runner: &mut R) -> impl Future<Output = QueryResult<Restore>> + Send
    where
        Self: SyncBackend,
        R: Runner<Backend = Self>;

    #[doc(hidden)]
    fn install<R>(
        runner: &mut R,
        tracking: &Tracking<Self>,
    ) -> impl Future<Output = Result<(), TrackingError>> + Send
    where
        Self: SyncBackend,
        R: Runner<Backend = Self>;

    /// What is wrong, as [`Tracking::verify`] tells it.
    #[doc(hidden)]
    fn verify<R>(
        runner: &mut R,
        tracking: &Tracking<Self>,
    ) -> impl Future<Output = Result<Vec<Problem>, TrackingError>> + Send
    where
        Self: SyncBackend,
        R: Runner<Backend = Self>;

    /// A query of what works and may surprise; it works also where nothing is installed.
    #[doc(hidden)]
    fn warnings_sql(definitions: &[&TableDefinition]) -> String;

    /// The same of rows of a tracked table whose stamps are of the future; none where the table has no stamp.
    #[doc(hidden)]
    fn ahead_sql(definition: &TableDefinition) -> Option<String>;
}

/// The statement that switches stamps on again, if it was this call that switched them off.
#[derive(Debug)]
#[doc(hidden)]
pub struct Restore(pub(super) Option<String>);
