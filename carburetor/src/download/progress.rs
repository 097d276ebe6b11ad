//! How far the download of one table has come, and what comes next.

use super::DownloadError;
use super::latest::Latest;
use super::reading::{Place, Places, Reading, SincePage, end_of_time, kind};
use super::table::Request;
use crate::backend::SyncBackend;
use crate::connection::Flow;
use crate::cutoff::TableCutoff;
use crate::origin::Standing;
use crate::scope::{Left, Visibility};
use crate::since::Since;
use crate::table::{TableDefinition, TableOn};
use crate::token::{self, TableState};
use chrono::{DateTime, Duration, Utc};
use diesel::row::Row;
use serde_json::Value;

/// After a failover the new server may lack what the old one had stamped last.
const FAILOVER: Duration = Duration::seconds(60);

/// How far the download of one table has come.
#[derive(Clone)]
pub(super) struct Progress<Id> {
    pub(super) definition: &'static TableDefinition,
    fingerprint: String,
    cutoff: TableCutoff,
    clock: DateTime<Utc>,
    pub(super) reading: Reading<Id>,
    pub(super) reset: bool,
    /// The greatest timestamp that the replica is known to have.
    since: Option<DateTime<Utc>>,
    expected_generation: Option<i64>,
    /// The horizon that the replica has read everything behind.
    passed: Option<DateTime<Utc>>,
    pub(super) left: Option<Left>,
    /// Rows that hold what left can be told from others without the database.
    pub(super) exact: bool,
    keys: Option<Vec<Value>>,
    /// The scope has other keys than before, and nobody knows which ones it had.
    pub(super) forgotten: bool,
    /// What the token said, until something of the table has been delivered: what left, for one, is told with its first page.
    asked: Option<TableState>,
    /// The table is left out, and what the token said of it stays.
    skipped: Option<Option<TableState>>,
    limit: Option<i64>,
    pub(super) lines: Lines<Id>,
    pub(super) latest: Latest,
    pub(super) finished: bool,
}

/// What the lines of the running statement have said so far.
#[derive(Clone)]
pub(super) struct Lines<Id> {
    header: bool,
    restart: bool,
    counts: [i64; kind::LEGS],
    places: [Option<Place<Id>>; kind::LEGS],
    after: Option<Id>,
}

impl<Id> Default for Lines<Id> {
    fn default() -> Self {
        Lines {
            header: false,
            restart: false,
            counts: [0; kind::LEGS],
            places: [None, None, None],
            after: None,
        }
    }
}

/// What follows the lines of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advance {
    /// Nothing that was read counts: the table begins again.
    Again,
    /// The lines have been delivered.
    Done,
}

impl<Id: Clone + Send + Sync + 'static> Progress<Id> {
    pub(super) fn new<DB: SyncBackend>(
        visibility: &Visibility<'_, DB>,
        request: &Request,
        cutoff: TableCutoff,
        clock: DateTime<Utc>,
        limit: Option<i64>,
    ) -> Result<Self, DownloadError> {
        Ok(Progress {
            definition: visibility.definition(),
            fingerprint: super::fingerprint::of(visibility)?,
            clock,
            reading: Reading::All,
            reset: true,
            since: None,
            expected_generation: None,
            passed: None,
            left: None,
            exact: true,
            keys: visibility.keys()?,
            forgotten: false,
            asked: None,
            skipped: (request.since == Since::Skip).then(|| request.state.clone()),
            limit,
            lines: Lines::default(),
            latest: Latest::new(visibility.definition()),
            finished: request.since == Since::Skip,
            cutoff,
        })
    }

    /// Decides from where to read.
    pub(super) fn resume<M, DB>(
        &mut self,
        request: Request,
        joined: bool,
    ) -> Result<(), DownloadError>
    where
        DB: SyncBackend,
        M: TableOn<DB, Id = Id>,
    {
        let fits = request.state.as_ref().is_none_or(|state| {
            state.fingerprint == self.fingerprint && state.generation == self.cutoff.generation
        });
        let unfinished = request.state.as_ref().and_then(|state| state.after.clone());
        // What no id of this model can be is of another model: the table begins again.
        let Ok(unfinished) = unfinished.map(M::decode_id).transpose() else {
            self.begin_again();
            return Ok(());
        };
        // Values that a row doesn't show can't be taken away by it, nor those of which no header says that they can.
        let told = self.left.as_ref().is_none_or(|left| {
            let mut columns = self.definition.downloaded();
            columns.any(|column| column.name == left.column)
                && (self.exact || !self.definition.untracked)
        });
        let mut since = match request.since {
            // Nothing is complete up to 1970.
            Since::At(since)
                if fits
                    && told
                    && !self.forgotten
                    && request.standing != Standing::Other
                    && since > DateTime::UNIX_EPOCH
                    && since <= self.clock =>
            {
                since
            }
            _ => {
                self.begin_again();
                return Ok(());
            }
        };
        if request.standing == Standing::Promoted {
            since -= FAILOVER;
        }
        self.since = Some(since);
        self.expected_generation = request.state.as_ref().and_then(|state| state.generation);
        let passed = request.state.as_ref().and_then(|state| state.horizon);
        self.passed = passed.and_then(DateTime::from_timestamp_micros);
        self.cutoff.horizon = self.passed;
        self.asked = request.state.map(|state| TableState {
            since: Some(since.timestamp_micros()),
            ..state
        });
        match (unfinished, self.limit) {
            (Some(_), Some(_)) if joined => self.begin_again(),
            (Some(after), Some(limit)) => {
                self.cutoff.cutoff = since;
                self.since = None;
                self.reading = Reading::AllPage {
                    after: Some(after),
                    limit,
                };
                self.reset = false;
            }
            (Some(_), None) => self.begin_again(),
            // Rows without a stamp can't be read by pages of stamps.
            (None, Some(_)) if joined => self.begin_again(),
            (None, Some(limit)) => {
                self.reset = false;
                self.reading = Reading::SincePage(SincePage {
                    since,
                    until: end_of_time(),
                    places: Places::default(),
                    limit,
                });
            }
            (None, None) => {
                self.reset = false;
                self.reading = Reading::Since(since);
            }
        }
        Ok(())
    }

    /// Whether the scope has the keys of this digest.
    pub(super) fn has_keys(&self, digest: &str) -> bool {
        let keys = self.keys.as_deref();
        keys.is_some_and(|keys| token::digest(keys) == digest)
    }

    fn begin_again(&mut self) {
        self.reset = true;
        self.left = None;
        self.since = None;
        self.passed = None;
        self.asked = None;
        self.reading = match self.limit {
            Some(limit) => Reading::AllPage { after: None, limit },
            None => Reading::All,
        };
    }

    /// The statement's lines have been taken: prepares the next one.
    pub(super) fn advance(&mut self) -> Result<Advance, DownloadError> {
        let lines = std::mem::take(&mut self.lines);
        if lines.restart {
            self.begin_again();
            return Ok(Advance::Again);
        }
        if self.reading.has_kind(self.definition) && !self.definition.untracked && !lines.header {
            return Err(DownloadError::NotTracked {
                table: self.definition.key(),
            });
        }
        let more = match &mut self.reading {
            Reading::All | Reading::Since(_) => false,
            Reading::AllPage { after, limit } => {
                let full = lines.counts[kind::ROW] >= *limit;
                if lines.after.is_some() {
                    *after = lines.after;
                }
                full
            }
            Reading::SincePage(page) => {
                let full = lines.counts.iter().any(|count| *count >= page.limit);
                page.places.follow(lines.places);
                page.until = self.clock;
                full
            }
        };
        self.finished = !more;
        self.reset = false;
        self.asked = None;
        Ok(Advance::Done)
    }

    pub(super) fn limit(&mut self, wanted: i64) {
        match &mut self.reading {
            Reading::AllPage { limit, .. } => *limit = wanted,
            Reading::SincePage(page) => page.limit = wanted,
            Reading::All | Reading::Since(_) => {}
        }
        self.limit = Some(wanted);
    }

    /// The column whose values left, if only the database knows whether rows that hold them can be told from others.
    pub(super) fn doubted(&self) -> Option<&str> {
        let left = self.left.as_ref().filter(|_| !self.exact);
        left.map(|left| left.column.as_str())
    }

    pub(super) fn is_skipped(&self) -> bool {
        self.skipped.is_some()
    }

    /// A part of it has been delivered before: what comes now is not of the same instant.
    pub(super) fn is_begun(&self) -> bool {
        !self.is_skipped()
            && (self.finished
                || match &self.reading {
                    Reading::All | Reading::Since(_) => false,
                    Reading::AllPage { after, .. } => after.is_some(),
                    Reading::SincePage(page) => page.places.is_begun(),
                })
    }

    /// Takes the cutoff that has come; `false` if what was read doesn't fit it.
    pub(super) fn confirm(&mut self, cutoff: &TableCutoff, clock: DateTime<Utc>) -> bool {
        self.cutoff = TableCutoff {
            horizon: self.since.map_or(cutoff.horizon, |_| self.passed),
            ..cutoff.clone()
        };
        self.since.is_none_or(|since| since <= clock)
            && self
                .expected_generation
                .is_none_or(|expected| Some(expected) == cutoff.generation)
    }

    /// The instant up to which everything is complete once the last page has been delivered.
    fn complete_at_last(&self) -> DateTime<Utc> {
        self.since
            .map_or(self.cutoff.cutoff, |since| since.max(self.cutoff.cutoff))
    }

    /// The instant up to which what was delivered so far is complete.
    pub(super) fn complete_until(&self) -> DateTime<Utc> {
        if let Some(kept) = &self.skipped {
            let known = kept.as_ref().and_then(TableState::instant);
            return known.unwrap_or_default();
        }
        match &self.reading {
            Reading::SincePage(page) if !self.finished => {
                let reached = page.places.reached().unwrap_or(page.since);
                reached.min(self.complete_at_last())
            }
            Reading::AllPage { .. } if !self.finished => DateTime::UNIX_EPOCH,
            _ => self.complete_at_last(),
        }
    }

    /// What the next download is told.
    pub(super) fn state<M, DB>(&self) -> Result<TableState, DownloadError>
    where
        DB: SyncBackend,
        M: TableOn<DB, Id = Id>,
    {
        if let Some(kept) = &self.skipped {
            let unknown = || TableState {
                name: self.definition.wire_name.clone(),
                ..TableState::default()
            };
            return Ok(kept.clone().unwrap_or_else(unknown));
        }
        if let Some(asked) = &self.asked {
            return Ok(asked.clone());
        }
        let (since, after) = match &self.reading {
            Reading::AllPage { after: None, .. } if !self.finished => (None, None),
            Reading::AllPage {
                after: Some(after), ..
            } if !self.finished => (Some(self.complete_at_last()), Some(M::encode_id(after)?)),
            _ => (Some(self.complete_until()), None),
        };
        // Everything was read behind it, though the cutoff lies before it: the oldest writer began before the table was reset.
        let horizon = self
            .cutoff
            .horizon
            .filter(|horizon| since.is_some_and(|since| since < *horizon));
        Ok(TableState {
            name: self.definition.wire_name.clone(),
            since: since.map(|since| since.timestamp_micros()),
            fingerprint: self.fingerprint.clone(),
            generation: self.cutoff.generation,
            horizon: horizon.map(|horizon| horizon.timestamp_micros()),
            after,
            keys: self.keys.clone(),
            digest: None,
        })
    }

    /// The line with the horizon and the generation.
    pub(super) fn header<'r, DB: SyncBackend>(
        &mut self,
        row: &impl Row<'r, DB>,
    ) -> Result<Flow, DownloadError> {
        self.lines.header = true;
        let horizon = DB::integer(row, 1)?.and_then(DateTime::from_timestamp_micros);
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
    pub(super) fn remember<'r, M, DB>(
        &mut self,
        row: &impl Row<'r, DB>,
        kind: usize,
    ) -> Result<(), DownloadError>
    where
        DB: SyncBackend,
        M: TableOn<DB, Id = Id>,
    {
        let count = self
            .lines
            .counts
            .get_mut(kind)
            .ok_or(DownloadError::NoCutoff)?;
        *count += 1;
        let at = if self.reading.has_kind(self.definition) {
            kind::COLUMNS
        } else {
            0
        };
        match &self.reading {
            Reading::AllPage { limit, .. } if *count >= *limit => {
                self.lines.after = Some(read_id::<M, DB>(row, at)?);
            }
            Reading::SincePage(page) if *count >= page.limit => {
                let stamp = DB::integer(row, 1)?.and_then(DateTime::from_timestamp_micros);
                let stamp = stamp.ok_or(DownloadError::NoCutoff)?;
                self.lines.places[kind] = Some(Place {
                    stamp,
                    id: read_id::<M, DB>(row, at)?,
                });
            }
            _ => {}
        }
        Ok(())
    }
}

fn read_id<'r, M: TableOn<DB>, DB: SyncBackend>(
    row: &impl Row<'r, DB>,
    at: usize,
) -> Result<M::Id, DownloadError> {
    M::read_id(row, at).map_err(|error| diesel::result::Error::DeserializationError(error).into())
}
