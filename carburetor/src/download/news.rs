//! What a download says of one table.

use super::DownloadError;
use super::table::{About, Sink};
use crate::backend::SyncBackend;
use crate::table::{SyncTable, TableOn};
use chrono::{DateTime, Utc};
use diesel::result::Error::DeserializationError;
use diesel::row::Row;
use serde_json::Value;

/// What a download says of the table `M`. A replica applies it unconditionally: removals first, then rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TableNews<M: SyncTable> {
    /// These rows are all that is visible: whatever else the replica holds of the table has to go.
    pub reset: bool,
    /// Values of the scope's key column ([`Visible::keys`](crate::Visible::keys)) that it no longer shows: rows that hold one of them have to go.
    pub left: Vec<Value>,
    /// Ids of rows that left: deleted, or no longer visible.
    pub removed: Vec<M::Id>,
    /// Rows that are new or changed; some may be known already.
    pub rows: Vec<M>,
    /// The instant up to which this is complete: the next timestamp.
    pub cutoff: DateTime<Utc>,
}

impl<M: SyncTable> Default for TableNews<M> {
    fn default() -> Self {
        TableNews {
            reset: false,
            left: Vec::new(),
            removed: Vec::new(),
            rows: Vec::new(),
            cutoff: DateTime::UNIX_EPOCH,
        }
    }
}

impl<M: TableOn<DB>, DB: SyncBackend> Sink<M, DB> for TableNews<M> {
    fn begin(&mut self, about: &About<'_>) -> Result<(), DownloadError> {
        self.reset = about.reset;
        self.left = about.left.to_vec();
        Ok(())
    }

    fn row<'r>(&mut self, row: &impl Row<'r, DB>, at: usize) -> Result<(), DownloadError> {
        self.rows
            .push(M::read(row, at).map_err(DeserializationError)?);
        Ok(())
    }

    fn removed<'r>(&mut self, row: &impl Row<'r, DB>, at: usize) -> Result<(), DownloadError> {
        self.removed
            .push(M::read_id(row, at).map_err(DeserializationError)?);
        Ok(())
    }

    fn end(&mut self, cutoff: DateTime<Utc>) -> Result<(), DownloadError> {
        self.cutoff = cutoff;
        Ok(())
    }
}
