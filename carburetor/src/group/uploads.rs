//! Tuples of tables as an upload sees them.

use super::SyncTables;
use super::arity::each_arity;
use crate::backend::SyncBackend;
use crate::scope::{DownloadTable, ScopeError};
use crate::upload::UploadTable;

/// A tuple of tables to which changes within a scope `S` can be uploaded on `DB`: whatever can be downloaded.
///
#[doc = include_str!("../../docs/examples/upload_tables.md")]
#[diagnostic::on_unimplemented(
    message = "changes of `{Self}` can't be uploaded to `{DB}` within the scope `{S}`",
    note = "each table needs `SyncScope` for the scope, and each filter `SyncFilter`",
    note = "a group is a tuple; a single table is written `(User,)`"
)]
#[allow(
    private_interfaces,
    reason = "sealed by its hidden method: nobody else calls it"
)]
pub trait UploadTables<DB: SyncBackend, S>: SyncTables {
    /// What an upload must know of each table, in order.
    #[doc(hidden)]
    fn uploads(scope: &S) -> Result<Vec<UploadTable<'_, DB>>, ScopeError>;
}

macro_rules! upload {
    ($($T:ident $place:tt),+) => {
        #[allow(private_interfaces, reason = "sealed by its hidden method: nobody else calls it")]
        impl<DB: SyncBackend, S, $($T: DownloadTable<DB, S>),+> UploadTables<DB, S> for ($($T,)+) {
            fn uploads(scope: &S) -> Result<Vec<UploadTable<'_, DB>>, ScopeError> {
                Ok(vec![$(UploadTable::of::<$T::Model>($T::visibility(scope)?)),+])
            }
        }
    };
}

each_arity!(upload);
