//! Merging by the model's own code: `#[sync(conflict = "custom")]`.

use crate::clock::Clock;
use crate::table::SyncTable;
use crate::wire::WireError;
use serde_json::{Map, Value};

/// A row that was written on the server after the replica saw it, and what the replica made of it.
///
#[doc = include_str!("../docs/examples/versions.md")]
#[derive(Debug, Clone, PartialEq)]
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

/// Makes one row of two: `#[sync(conflict = "custom")]`, on the struct or on some of its fields.
///
#[doc = include_str!("../docs/examples/merge.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` says `conflict = \"custom\"` and not how to merge two rows",
    label = "write `impl carburetor::merge::Merge for {Self}`",
    note = "or choose another way to settle conflicts: `\"fields\"`, `\"last_write_wins\"`, `\"server_wins\"`, `\"client_wins\"`"
)]
pub trait Merge: SyncTable {
    /// The row that shall stand.
    ///
    /// It runs on the server that decides, within the upload's transaction, once per conflict: a change that is sent again gets its stored
    /// outcome. Only the columns whose conflicts are settled by `"custom"` are taken from it. What is `skip` or `local` has its default in
    /// every version.
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

/// [`Merge::merge`] over rows as they travel; the answer has every column that does.
#[doc(hidden)]
pub type Merging = fn(Rows<'_>) -> Result<Map<String, Value>, WireError>;
