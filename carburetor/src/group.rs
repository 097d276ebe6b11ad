//! Groups: the tables that one application syncs together.

mod arity;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
mod joined;
mod scoped;
mod tuple;
mod uploads;

pub(crate) use arity::each_arity;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
pub use joined::DownloadTablesAsync;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
pub(crate) use joined::VisitTableAsync;
pub use scoped::Scoped;
pub(crate) use tuple::VisitTable;
pub use tuple::{DownloadTables, SyncTables, TrackTables};
pub(crate) use tuple::{assert_named_once, equal};
pub use uploads::UploadTables;

use crate::scope::Everyone;
use std::marker::PhantomData;

/// The tables `T`, a tuple, that one application syncs together, each within what the scope `S` shows.
///
#[doc = include_str!("../docs/examples/sync_group.md")]
pub struct SyncGroup<T, S = Everyone>(PhantomData<fn() -> (T, S)>);

impl<T, S> std::fmt::Debug for SyncGroup<T, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SyncGroup")
    }
}

impl<T, S> SyncGroup<T, S> {
    /// The group as `scope` shows it.
    ///
    #[doc = include_str!("../docs/examples/group_scoped.md")]
    pub fn scoped(scope: &S) -> Scoped<'_, T, S> {
        Scoped::new(scope)
    }
}
