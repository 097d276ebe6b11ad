//! What a replica's upload wrote itself: its later changes of the same rows don't conflict with that.

use super::UploadTable;
use super::admit::row_of;
use super::found::Found;
use crate::backend::SyncBackend;
use crate::change::Change;
use crate::outcome::Verdict;
use crate::upload::decide::Held;
use crate::upload::settle::Settled;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// The rows that an upload wrote, in whatever transaction, by the place of their table and their key.
#[derive(Debug, Default)]
pub(super) struct OwnWrites(HashMap<(usize, Vec<u8>), OwnWrite>);

#[derive(Debug)]
struct OwnWrite {
    /// The stamp that the write gave the row.
    stamp: DateTime<Utc>,
    /// The one that the row had before the first of the writes; none where there was no row.
    before: Option<DateTime<Utc>>,
}

impl OwnWrites {
    /// Keeps that a row took this stamp.
    pub(super) fn keep(
        &mut self,
        row: (usize, Vec<u8>),
        stamp: DateTime<Utc>,
        before: Option<DateTime<Utc>>,
    ) {
        self.0.insert(row, OwnWrite { stamp, before });
    }

    /// Keeps what `change` wrote when it came before and its answer was lost: the replica goes on from the row that it had then.
    pub(super) fn keep_answered<DB: SyncBackend>(
        &mut self,
        tables: &[UploadTable<'_, DB>],
        change: &Change,
        answer: &Settled,
    ) {
        let is_as_sent = matches!(answer.verdict, Verdict::Applied | Verdict::Held);
        let stamp = answer.stamp.filter(|_| is_as_sent);
        if let Some((stamp, row)) = stamp.zip(row_of(tables, change)) {
            self.keep(row, stamp, change.base);
        }
    }

    /// Shows `found` as changes of this upload are to see it: with the stamp of before, unless somebody else wrote the row since.
    pub(super) fn hide(&self, table: usize, key: &[u8], found: &mut Found) {
        if self.0.is_empty() {
            return;
        }
        if let Held::Live { stamp, .. } = &mut found.held
            && let Some(own) = self.0.get(&(table, key.to_vec()))
            && *stamp == Some(own.stamp)
        {
            *stamp = own.before;
        }
    }
}
