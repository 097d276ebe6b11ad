//! The clock that a download carries: whoever has seen what it says, and then writes, writes later.

use super::ahead::Ahead;
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::table::{Storage, TableDefinition};
use diesel::QueryResult;
use diesel::row::Row;

/// The greatest clock of what was read of one table.
#[derive(Debug, Clone)]
pub(super) struct Latest {
    /// The greatest stamp of a row or of a removal, in microseconds since 1970.
    stamp: Option<i64>,
    /// As the header said, where there is one.
    pub(super) ahead: Ahead,
    /// Where a row has its stamp, and where what stands in for it.
    places: Vec<(usize, Storage)>,
}

impl Latest {
    pub(super) fn new(definition: &TableDefinition) -> Self {
        let columns = || definition.downloaded().enumerate();
        let stamp = columns().find(|(_, column)| column.last_synced_at);
        let created = columns().find(|(_, column)| column.created_at && definition.untracked);
        let places = stamp.into_iter().chain(created);
        Latest {
            stamp: None,
            ahead: Ahead::default(),
            places: places
                .map(|(place, column)| (place, column.storage))
                .collect(),
        }
    }

    /// A row came, from column `at` on.
    pub(super) fn row<'r, DB: SyncBackend>(
        &mut self,
        row: &impl Row<'r, DB>,
        at: usize,
    ) -> QueryResult<()> {
        self.stamp = self.stamp.max(self.stamp_of(row, at)?);
        Ok(())
    }

    /// The stamp of a row, from column `at` on, as far as it comes with it.
    pub(super) fn stamp_of<'r, DB: SyncBackend>(
        &self,
        row: &impl Row<'r, DB>,
        at: usize,
    ) -> QueryResult<Option<i64>> {
        for (place, storage) in &self.places {
            if let Some(stamp) = DB::instant(row, at + place, *storage)? {
                return Ok(Some(stamp));
            }
        }
        Ok(None)
    }

    /// Whether a row comes with its stamp.
    pub(super) fn has_stamps(&self) -> bool {
        !self.places.is_empty()
    }

    /// A removal came.
    pub(super) fn removal<'r, DB: SyncBackend>(
        &mut self,
        row: &impl Row<'r, DB>,
    ) -> QueryResult<()> {
        self.stamp = self.stamp.max(DB::integer(row, 1)?);
        Ok(())
    }

    /// The greatest so far.
    pub(super) fn clock(&self) -> Clock {
        let stamp = self.stamp.map_or(Clock::ZERO, Clock::of_micros);
        stamp.max(self.ahead.clock())
    }
}
