//! Merging by the model's own code: `#[sync(conflict = "custom")]`.

use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::table::{SyncTable, TableOn};
use crate::wire::WireError;
use serde_json::{Map, Value};

/// A row that was written on the server after the replica saw it, and what the replica made of it.
///
#[doc = include_str!("../docs/examples/merge.md")]
#[derive(Debug)]
#[non_exhaustive]
pub struct Versions<M> {
    /// The server's row.
    pub server: M,
    /// The row as the replica sent it: its edits on top of the server's row.
    pub sent: M,
    /// The row with the values that the edited columns had before the edit, if the change tells them.
    pub base: Option<M>,
    /// The last write of the server's row.
    pub server_clock: Clock,
    /// The edit.
    pub sent_clock: Clock,
}

/// Makes one row of two, for models or columns with `#[sync(conflict = "custom")]`.
///
#[doc = include_str!("../docs/examples/merge.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no merge of its own",
    label = "write `impl Merge for {Self}`",
    note = "`conflict = \"custom\"` calls it; `fields`, `last_write_wins`, `server_wins` and `client_wins` need none"
)]
pub trait Merge: SyncTable {
    /// The row that shall stand. Runs within the upload's transaction on the server that decides, once per conflict; only columns whose strategy is
    /// `custom` are taken from it.
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

/// A merge over rows as they travel.
#[doc(hidden)]
pub type Merging = fn(Rows<'_>) -> Result<Map<String, Value>, WireError>;

/// Calls the model's merge.
#[doc(hidden)]
pub fn merge<M, DB>(rows: Rows<'_>) -> Result<Map<String, Value>, WireError>
where
    M: Merge + TableOn<DB>,
    DB: SyncBackend,
{
    let merged = <M as Merge>::merge(Versions {
        server: M::decode(rows.server.clone())?,
        sent: M::decode(rows.sent)?,
        base: rows.base.map(M::decode).transpose()?,
        server_clock: rows.server_clock,
        sent_clock: rows.sent_clock,
    });
    merged.encode()
}
