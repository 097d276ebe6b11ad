//! What the lines of a statement say of how far it has come.

use super::Progress;
use crate::backend::SyncBackend;
use crate::connection::Flow;
use crate::download::DownloadError;
use crate::download::reading::{Place, Reading, kind};
use crate::download::unreadable::{of_value, unfit};
use crate::table::TableOn;
use chrono::DateTime;
use diesel::row::Row;

/// What the lines of the running statement have said so far.
#[derive(Clone)]
pub(in crate::download) struct Lines<Id> {
    pub(super) header: bool,
    pub(super) restart: bool,
    pub(super) counts: [i64; kind::LEGS],
    pub(super) places: [Option<Place<Id>>; kind::LEGS],
    pub(super) after: Option<Id>,
    /// The page ends with a row that it can't go on from.
    pub(super) is_stuck: bool,
}

impl<Id> Default for Lines<Id> {
    fn default() -> Self {
        Lines {
            header: false,
            restart: false,
            counts: [0; kind::LEGS],
            places: [None, None, None],
            after: None,
            is_stuck: false,
        }
    }
}

impl<Id: Clone + Send + Sync + 'static> Progress<Id> {
    /// The line with the horizon and the generation.
    pub(in crate::download) fn header<'r, DB: SyncBackend>(
        &mut self,
        row: &impl Row<'r, DB>,
    ) -> Result<Flow, DownloadError> {
        self.lines.header = true;
        let horizon = DB::integer(row, 1)?.and_then(DateTime::from_timestamp_micros);
        self.horizon = horizon.or(self.horizon);
        let generation = DB::integer(row, 2)?;
        self.latest.ahead.read(row, 3)?;
        let passed = self.passed.unwrap_or_default();
        let behind = self
            .since
            .is_some_and(|since| horizon.is_none_or(|horizon| since.max(passed) < horizon));
        let moved = match &self.reading {
            Reading::AllPage { .. } => generation != self.cutoff.generation,
            _ => self.expected_generation.is_some() && generation != self.expected_generation,
        };
        let told = self.doubted().is_none() || horizon.is_some();
        if behind || moved || !told {
            self.cutoff.generation = generation;
            self.cutoff.horizon = horizon;
            self.expected_generation = generation;
            self.lines.restart = true;
            return Ok(Flow::Stop);
        }
        Ok(Flow::Next)
    }

    /// Remembers where the page ends that the line fills.
    pub(in crate::download) fn remember<'r, M, DB>(
        &mut self,
        row: &impl Row<'r, DB>,
        kind: usize,
    ) -> Result<(), DownloadError>
    where
        DB: SyncBackend,
        M: TableOn<DB, Id = Id>,
    {
        if kind == kind::AGAIN {
            return Ok(());
        }
        let count = self
            .lines
            .counts
            .get_mut(kind)
            .ok_or(DownloadError::NoCutoff)?;
        *count += 1;
        let at = if self.reading.has_kind() {
            kind::COLUMNS
        } else {
            0
        };
        match &self.reading {
            Reading::AllPage { limit, .. } if *count >= *limit => match end::<M, DB>(row, at)? {
                Some(id) => self.lines.after = Some(id),
                None => self.lines.is_stuck = true,
            },
            Reading::SincePage(page) if *count >= page.limit => {
                let stamp = DB::integer(row, 1)?.and_then(DateTime::from_timestamp_micros);
                match (stamp, end::<M, DB>(row, at)?) {
                    (Some(stamp), Some(id)) => self.lines.places[kind] = Some(Place { stamp, id }),
                    _ => self.lines.is_stuck = true,
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The id that a page goes on from, if it can.
fn end<'r, M, DB>(row: &impl Row<'r, DB>, at: usize) -> Result<Option<M::Id>, DownloadError>
where
    DB: SyncBackend,
    M: TableOn<DB>,
{
    match unfit::<M, DB>(row, at) {
        Some(_) => Ok(None),
        None => Ok(of_value(M::read_id(row, at))?.ok()),
    }
}
