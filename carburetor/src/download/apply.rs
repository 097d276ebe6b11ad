//! Applying a download to a replica kept in memory.

use super::TableNews;
use crate::table::SyncTable;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

impl<M: SyncTable> TableNews<M> {
    /// Makes `replica`, the rows by id, what the server shows: after a reset nothing else stays, but for what it holds of rows that
    /// can't be read now; removals first, then rows.
    ///
    #[doc = include_str!("../../docs/examples/apply.md")]
    pub fn apply(self, replica: &mut HashMap<M::Id, M>)
    where
        M::Id: Eq + Hash,
    {
        if self.reset {
            let kept: HashSet<&Value> = self
                .unreadable
                .iter()
                .filter_map(|error| error.id.as_ref())
                .collect();
            match kept.is_empty() {
                true => replica.clear(),
                false => {
                    replica.retain(|id, _| (self.travels)(id).is_some_and(|id| kept.contains(&id)))
                }
            }
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
