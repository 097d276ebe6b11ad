//! One table of a group as an upload sees it: everything that its model knows, without the model's type.

use crate::backend::SyncBackend;
use crate::merge::Merging;
use crate::scope::Visibility;
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

/// [`TableOn::admit`]
pub(crate) type Admit<DB> =
    fn(usize, &Value) -> Result<Option<<DB as WireBackend>::WireValue>, WireError>;

impl<'s, DB: SyncBackend> UploadTable<'s, DB> {
    /// The table of `M`, of which the scope and the filter show what `visibility` says.
    pub(crate) fn of<M: TableOn<DB>>(visibility: Visibility<'s, DB>) -> Self {
        UploadTable {
            definition: M::definition(),
            visibility,
            codecs: M::codecs(),
            admit: M::admit,
            merge: M::merging(),
        }
    }
}
