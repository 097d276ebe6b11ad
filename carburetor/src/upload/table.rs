//! One table of a group as an upload sees it: everything that its model knows, without the model's type.

use crate::backend::SyncBackend;
use crate::group::{SyncTables, each_arity};
use crate::merge::Merging;
use crate::scope::{DownloadTable, ScopeError, Visibility};
use crate::table::{TableDefinition, TableOn};
use crate::wire::{Codec, WireBackend, WireError};
use serde_json::Value;

/// One table of a group within a scope. "Column `number`" counts the columns of [`TableDefinition::downloaded`].
pub(crate) struct UploadTable<'s, DB: SyncBackend> {
    pub(crate) definition: &'static TableDefinition,
    pub(crate) visibility: Visibility<'s, DB>,
    /// How each downloaded column travels.
    pub(crate) codecs: &'static [Codec<DB>],
    /// The SQL value of a column that travelled, checked by the field's Rust type; none is NULL.
    pub(crate) admit: Admit<DB>,
    /// The model's own merge, where a column's strategy is `custom`.
    pub(crate) merge: Option<Merging>,
}

/// `TableOn::admit`
type Admit<DB> = fn(usize, &Value) -> Result<Option<<DB as WireBackend>::WireValue>, WireError>;

impl<'s, DB: SyncBackend> UploadTable<'s, DB> {
    fn of<M: TableOn<DB>>(visibility: Visibility<'s, DB>) -> Self {
        UploadTable {
            definition: M::definition(),
            visibility,
            codecs: M::codecs(),
            admit: M::admit,
            merge: M::merging(),
        }
    }
}

/// A tuple of tables that changes can be uploaded to; every one that can be downloaded is.
///
#[doc = include_str!("../../docs/examples/upload_tables.md")]
#[allow(
    private_interfaces,
    private_bounds,
    reason = "sealed by its hidden method: nobody else calls it"
)]
pub trait UploadTables<DB: SyncBackend, S>: SyncTables {
    /// The tables as `scope` shows them.
    #[doc(hidden)]
    fn uploads(scope: &S) -> Result<Vec<UploadTable<'_, DB>>, ScopeError>;
}

macro_rules! uploads {
    ($($T:ident $place:tt),+) => {
        #[allow(private_interfaces, private_bounds, reason = "sealed by its hidden method: nobody else calls it")]
        impl<DB: SyncBackend, S, $($T: DownloadTable<DB, S>),+> UploadTables<DB, S> for ($($T,)+) {
            fn uploads(scope: &S) -> Result<Vec<UploadTable<'_, DB>>, ScopeError> {
                Ok(vec![$(UploadTable::of::<$T::Model>($T::visibility(scope)?)),+])
            }
        }
    };
}

each_arity!(uploads);
