//! Applying a download to a replica kept in memory.

use super::TableNews;
use crate::table::SyncTable;
use std::collections::HashMap;
use std::hash::Hash;

impl<M: SyncTable> TableNews<M> {
    /// Makes `replica`, the rows by id, what the server shows: after a reset nothing else stays; removals first, then rows.
    ///
    #[doc = include_str!("../../docs/examples/apply.md")]
    pub fn apply(self, replica: &mut HashMap<M::Id, M>)
    where
        M::Id: Eq + Hash,
    {
        if self.reset {
            replica.clear();
        }
        if let Some(left) = &self.left {
            let gone = (self.gone)(left);
            replica.retain(|_, row| !gone(row));
        }
        for id in &self.removed {
            replica.remove(id);
        }
        replica.extend(self.rows.into_iter().map(|row| (row.id(), row)));
    }
}
