//! The model's own merge, over rows as they travel.

use crate::backend::SyncBackend;
use crate::merge::{Merge, Rows, Versions};
use crate::table::TableOn;
use crate::wire::WireError;
use serde_json::{Map, Value};

/// What `M` makes of `rows`, as it travels.
pub fn merge<M, DB>(rows: Rows<'_>) -> Result<Map<String, Value>, WireError>
where
    M: TableOn<DB> + Merge,
    DB: SyncBackend,
{
    let merged = M::merge(Versions {
        server: M::decode(rows.server.clone())?,
        sent: M::decode(rows.sent)?,
        base: rows.base.map(M::decode).transpose()?,
        server_clock: rows.server_clock,
        sent_clock: rows.sent_clock,
    });
    merged.encode()
}
