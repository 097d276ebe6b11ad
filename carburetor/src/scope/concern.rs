//! Which changes concern a scope, as far as that can be told without asking the database for each scope.

use crate::backend::SyncBackend;
use crate::table::TableDefinition;
use crate::wire::Codec;
use std::collections::HashSet;

/// Which changes of one table concern a scope; more than these never do.
pub(crate) enum Concern<DB: SyncBackend> {
    /// Any.
    Any,
    None,
    /// Those of rows whose key column holds one of the values, as they travel.
    Keys(KeyColumn<DB>, HashSet<String>),
}

/// The tables of a group, and which changes of them concern a scope.
pub(crate) type Concerns<DB> = Vec<(&'static TableDefinition, Concern<DB>)>;

/// The key column of a scope.
pub(crate) struct KeyColumn<DB: SyncBackend> {
    pub(crate) name: &'static str,
    pub(crate) codec: Codec<DB>,
    /// Values that SQL holds to be equal travel as the same JSON, whatever the column is in the database.
    pub(crate) exact: bool,
}

// By hand, because the derived ones would ask the same of `DB`.
impl<DB: SyncBackend> Clone for KeyColumn<DB> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<DB: SyncBackend> Copy for KeyColumn<DB> {}
