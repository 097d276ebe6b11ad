//! Merging by the model's own code: `#[sync(conflict = "custom")]`.

use crate::clock::Clock;
use crate::table::SyncTable;
use serde_json::{Map, Value};

/// A row that was written on the server after the replica saw it, and what the replica made of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Versions<M> {
    /// The server's row.
    pub server: M,
    /// The row as the replica sent it: its edits on top of the server's row.
    pub sent: M,
    /// The row as the replica saw it before the edit, if the change told.
    pub base: Option<M>,
    /// The last write of the server's row.
    pub server_clock: Clock,
    /// The edit.
    pub sent_clock: Clock,
}

/// Makes one row of two: `#[sync(conflict = "custom")]`.
pub trait Merge: SyncTable {
    /// The row that shall stand. Runs on the server that decides, once per conflict; only columns whose strategy is `custom` are taken from it.
    fn merge(versions: Versions<Self>) -> Self;
}

/// [`Versions`] as they travel.
#[doc(hidden)]
#[derive(Debug)]
pub struct Rows<'r> {
    pub server: &'r Map<String, Value>,
    pub sent: Map<String, Value>,
    pub base: Option<Map<String, Value>>,
    pub server_clock: Clock,
    pub sent_clock: Clock,
}
