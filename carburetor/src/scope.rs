//! Scopes (the rows that one caller may see) and filters (the rows that a group leaves out for everybody).

#[cfg(all(
    feature = "axum",
    any(feature = "async-postgres", feature = "async-sqlite")
))]
mod concern;
mod expression;
#[cfg(all(
    feature = "axum",
    any(feature = "async-postgres", feature = "async-sqlite")
))]
mod identity;
mod keys;
mod token;
mod visible;

#[cfg(all(
    feature = "axum",
    any(feature = "async-postgres", feature = "async-sqlite")
))]
pub(crate) use concern::{Concern, Concerns};
pub use expression::ScopeError;
#[cfg(all(
    feature = "axum",
    any(feature = "async-postgres", feature = "async-sqlite")
))]
pub(crate) use identity::identity;
pub(crate) use keys::KeyChange;
#[cfg(all(
    feature = "axum",
    any(feature = "async-postgres", feature = "async-sqlite")
))]
pub(crate) use keys::KeyColumn;
pub use keys::Left;
pub(crate) use visible::Visibility;
pub use visible::Visible;

use crate::backend::SyncBackend;
use crate::table::{SyncTable, TableOn};
use std::marker::PhantomData;

/// The rows of `M` that one caller may see: a value made per request, with whatever it takes to decide already loaded.
///
/// One impl per table of the group; a missing one is a compile error.
///
#[doc = include_str!("../docs/examples/sync_scope.md")]
#[diagnostic::on_unimplemented(
    message = "the scope `{Self}` does not say which rows of `{M}` it shows on `{DB}`",
    label = "write `impl SyncScope<{M}, {DB}> for {Self}`",
    note = "`Visible::all()` shows every row, `Visible::only(..)` those for which an expression holds"
)]
pub trait SyncScope<M: TableOn<DB>, DB: SyncBackend>: Send + Sync {
    /// The visible rows. Only `#[sync(visible_by)]` columns and the id of the table itself, and bound values.
    fn filter(&self) -> Visible<'_, M::Source, DB>;
}

/// The scope of a group that shows every row to everybody.
///
/// ```
/// assert_eq!(format!("{:?}", carburetor::Everyone), "Everyone");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Everyone;

impl<M: TableOn<DB>, DB: SyncBackend> SyncScope<M, DB> for Everyone {
    fn filter(&self) -> Visible<'_, M::Source, DB> {
        Visible::all()
    }
}

/// The rows of `M` that a group leaves out for everybody, written once on a marker type.
///
#[doc = include_str!("../docs/examples/sync_filter.md")]
#[diagnostic::on_unimplemented(
    message = "the filter `{Self}` does not say which rows of `{M}` it keeps on `{DB}`",
    label = "write `impl SyncFilter<{M}, {DB}> for {Self}`"
)]
pub trait SyncFilter<M: TableOn<DB>, DB: SyncBackend>: Send + Sync + 'static {
    /// The rows that stay in.
    fn filter() -> Visible<'static, M::Source, DB>;
}

/// `M` in a group, without the rows that the filter `F` leaves out.
///
#[doc = include_str!("../docs/examples/filtered.md")]
#[derive(Debug)]
pub struct Filtered<M, F>(PhantomData<fn() -> (M, F)>);

/// One place in a group: a synced table, or a [`Filtered`] one.
///
#[doc = include_str!("../docs/examples/group_table.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't stand in a group",
    label = "not a synced table",
    note = "add `#[derive(SyncTable)]` to it; filters are written `Filtered<Table, Filter>`"
)]
pub trait GroupTable: 'static {
    /// The synced table.
    type Model: SyncTable;
}

/// A place in a group that can be downloaded from `DB` within a scope `S`.
///
#[doc = include_str!("../docs/examples/download_table.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be downloaded from `{DB}` within the scope `{S}`",
    note = "a table needs `SyncScope` for the scope; in `Filtered<Table, Filter>` the filter needs `SyncFilter` for the table"
)]
pub trait DownloadTable<DB: SyncBackend, S>: GroupTable<Model: TableOn<DB>> {
    /// What is visible of it.
    #[doc(hidden)]
    fn visibility(scope: &S) -> Result<Visibility<'_, DB>, ScopeError>;
}

impl<M: SyncTable> GroupTable for M {
    type Model = M;
}

impl<M: SyncTable, F: 'static> GroupTable for Filtered<M, F> {
    type Model = M;
}

impl<M, DB, S> DownloadTable<DB, S> for M
where
    M: TableOn<DB>,
    DB: SyncBackend,
    S: SyncScope<M, DB>,
{
    fn visibility(scope: &S) -> Result<Visibility<'_, DB>, ScopeError> {
        Visibility::new(M::definition(), [scope.filter().erased()])
    }
}

impl<M, F, DB, S> DownloadTable<DB, S> for Filtered<M, F>
where
    M: TableOn<DB>,
    DB: SyncBackend,
    S: SyncScope<M, DB>,
    F: SyncFilter<M, DB>,
{
    fn visibility(scope: &S) -> Result<Visibility<'_, DB>, ScopeError> {
        Visibility::new(
            M::definition(),
            [scope.filter().erased(), F::filter().erased()],
        )
    }
}
