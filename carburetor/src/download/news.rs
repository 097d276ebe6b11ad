//! What a download says of one table.

use super::DownloadError;
use super::table::{About, Sink};
use crate::backend::SyncBackend;
use crate::scope::Left;
use crate::table::{SyncTable, TableOn};
use chrono::{DateTime, Utc};
use diesel::result::Error::DeserializationError;
use diesel::row::Row;
use serde_json::Value;
use std::collections::HashSet;

/// What a download says of the table `M`. A replica applies it unconditionally: removals first, then rows.
///
#[doc = include_str!("../../docs/examples/table_news.md")]
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TableNews<M: SyncTable> {
    /// These rows are all that is visible: whatever else the replica holds of the table has to go.
    pub reset: bool,
    /// What the scope's key column ([`Visible::keys`](crate::Visible::keys)) no longer shows: rows that hold one of the values have to go.
    pub left: Option<Left>,
    /// Ids of rows that left: deleted, or no longer visible.
    pub removed: Vec<M::Id>,
    /// Rows that are new or changed; some may be known already.
    pub rows: Vec<M>,
    /// The instant up to which this is complete: the next timestamp.
    pub cutoff: DateTime<Utc>,
    /// Tells the rows that hold what left.
    pub(crate) gone: Gone<M>,
}

impl<M: SyncTable> Default for TableNews<M> {
    fn default() -> Self {
        TableNews {
            reset: false,
            left: None,
            removed: Vec::new(),
            rows: Vec::new(),
            cutoff: DateTime::UNIX_EPOCH,
            gone: |_| Box::new(|_| false),
        }
    }
}

impl<M: TableOn<DB>, DB: SyncBackend> Sink<M, DB> for TableNews<M> {
    fn begin(&mut self, about: &About<'_>) -> Result<(), DownloadError> {
        self.reset = about.reset;
        self.left = about.left.cloned();
        self.gone = gone::<M, DB>;
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

/// Makes what tells the rows that hold one of the values that left.
pub(crate) type Gone<M> = for<'l> fn(&'l Left) -> Box<dyn Fn(&M) -> bool + 'l>;

/// Tells the rows that hold one of the values that left; a row that can't travel never came from a server.
pub(crate) fn gone<M: TableOn<DB>, DB: SyncBackend>(left: &Left) -> Box<dyn Fn(&M) -> bool + '_> {
    let values: HashSet<&Value> = left.values.iter().collect();
    let mut columns = M::definition().downloaded();
    let number = columns.position(|column| column.name == left.column);
    Box::new(move |row| {
        let column = number.map(|number| row.encode_column(number));
        let Some(Ok(column)) = column else {
            return false;
        };
        column
            .get(&left.column)
            .is_some_and(|value| values.contains(value))
    })
}
