//! What an uploader knows of the rows: by downloads, and by the outcomes of what it sent.

use super::super::ledger::Line;
use carburetor::TableNews;
use carburetor::change::{Change, Edit};
use carburetor::outcome::{Outcome, Verdict};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// One table as an uploader knows it.
#[derive(Default)]
pub(super) struct Known {
    /// The stamps of the rows, which are the base of the next edits.
    rows: BTreeMap<i64, DateTime<Utc>>,
    /// Rows that were there once.
    gone: BTreeSet<i64>,
}

/// So many rows, the first ones, are edited by everybody, much more often than the others.
const CONTESTED: usize = 30;

impl Known {
    pub(super) fn download<M: Line>(&mut self, news: TableNews<M>) {
        if news.reset {
            self.gone.extend(std::mem::take(&mut self.rows).into_keys());
        }
        for id in news.removed {
            self.rows.remove(&id);
            self.gone.insert(id);
        }
        for row in news.rows {
            self.gone.remove(&row.id());
            self.rows.insert(row.id(), row.stamp());
        }
    }

    /// Takes the answer to `change` on the row `id`.
    pub(super) fn answered(&mut self, id: i64, change: &Change, outcome: &Outcome) {
        let row = outcome.row.as_ref();
        let shown = row.and_then(|row| row.get("updated_at")?.as_str()?.parse().ok());
        match (&outcome.verdict, outcome.stamp.or(shown)) {
            (Verdict::Applied, None) if change.edit == Edit::Delete => {
                self.rows.remove(&id);
                self.gone.insert(id);
            }
            (_, Some(stamp)) if change.edit != Edit::Delete || row.is_some() => {
                self.gone.remove(&id);
                self.rows.insert(id, stamp);
            }
            _ => {}
        }
    }

    /// Some row and its stamp.
    pub(super) fn any(&self, random: &mut fastrand::Rng) -> Option<(i64, DateTime<Utc>)> {
        let last = *self.rows.keys().next_back()?;
        let found = match random.u8(..3) {
            0 => self.rows.range(random.i64(0..=last)..).next(),
            _ => self.rows.iter().nth(random.usize(..CONTESTED)),
        };
        found
            .or(self.rows.iter().next())
            .map(|(id, stamp)| (*id, *stamp))
    }

    /// The stamp of this row, if it is there.
    pub(super) fn stamp(&self, id: i64) -> Option<DateTime<Utc>> {
        self.rows.get(&id).copied()
    }

    /// The id of some row that is gone.
    pub(super) fn any_gone(&self, random: &mut fastrand::Rng) -> Option<i64> {
        let last = *self.gone.iter().next_back()?;
        self.gone.range(random.i64(0..=last)..).next().copied()
    }
}
