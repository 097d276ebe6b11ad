//! What a download says of one table.

use super::DownloadError;
use super::table::{About, Sink};
use super::unreadable::{Taken, of_value};
use crate::backend::SyncBackend;
use crate::scope::Left;
use crate::table::{SyncTable, TableOn};
use crate::wire::WireError;
use chrono::{DateTime, Utc};
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
    /// What can't be read of rows that are new or changed, each told once: those rows are not among `rows`, and whoever holds an older version keeps
    /// that. They come when they can be read, for which the token remembers them; a bare timestamp stays at the `cutoff`, which is held back
    /// until then, or until the table's horizon has passed the row's stamp: from then on the row comes when it changes, or when the table begins again.
    pub unreadable: Vec<WireError>,
    /// The instant up to which this is complete: the next timestamp.
    pub cutoff: DateTime<Utc>,
    /// Tells the rows that hold what left.
    pub(crate) gone: Gone<M>,
    /// An id as it travels.
    pub(crate) travels: Travels<M>,
}

impl<M: SyncTable> Default for TableNews<M> {
    fn default() -> Self {
        TableNews {
            reset: false,
            left: None,
            removed: Vec::new(),
            rows: Vec::new(),
            unreadable: Vec::new(),
            cutoff: DateTime::UNIX_EPOCH,
            gone: |_| Box::new(|_| false),
            travels: |_| None,
        }
    }
}

impl<M: TableOn<DB>, DB: SyncBackend> Sink<M, DB> for TableNews<M> {
    fn begin(&mut self, about: &About<'_>) -> Result<(), DownloadError> {
        self.reset = about.reset;
        self.left = about.left.cloned();
        self.gone = gone::<M, DB>;
        self.travels = travels::<M, DB>;
        Ok(())
    }

    fn row<'r>(&mut self, row: &impl Row<'r, DB>, at: usize) -> Result<Taken, DownloadError> {
        Ok(of_value(M::read(row, at))?.map(|row| self.rows.push(row)))
    }

    fn removed<'r>(&mut self, row: &impl Row<'r, DB>, at: usize) -> Result<Taken, DownloadError> {
        Ok(of_value(M::read_id(row, at))?.map(|id| self.removed.push(id)))
    }

    fn unreadable(&mut self, error: WireError) {
        self.unreadable.push(error);
    }

    fn end(&mut self, cutoff: DateTime<Utc>) -> Result<(), DownloadError> {
        self.cutoff = cutoff;
        Ok(())
    }
}

/// Makes of an id what travels; none where it can't.
pub(crate) type Travels<M> = fn(&<M as SyncTable>::Id) -> Option<Value>;

/// An id as it travels.
pub(crate) fn travels<M: TableOn<DB>, DB: SyncBackend>(id: &M::Id) -> Option<Value> {
    M::encode_id(id).ok()
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
