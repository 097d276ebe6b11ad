//! Which changes concern a scope, as far as that can be told without asking the database for each scope.

use super::keys::KeyColumn;
use crate::backend::SyncBackend;
use crate::table::TableDefinition;
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
