//! One table of a group as an upload sees it: everything that its model knows, without the model's type.

use crate::backend::SyncBackend;
use crate::scope::Visibility;
use crate::table::TableDefinition;
use crate::wire::{Codec, WireError};
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
pub(crate) type Admit<DB> =
    fn(usize, &Value) -> Result<Option<<DB as crate::wire::WireBackend>::WireValue>, WireError>;

/// `TableOn::merge`, over rows as they travel.
pub(crate) type Merging =
    fn(crate::merge::Rows<'_>) -> Result<serde_json::Map<String, Value>, WireError>;
