//! How far the download of one table has come, and what comes next.

mod aside;
mod lines;

use lines::Lines;

use super::DownloadError;
use super::latest::Latest;
use super::reading::{Beginning, Places, Reading, SincePage, end_of_time, kind};
use super::table::Request;
use crate::backend::SyncBackend;
use crate::cutoff::TableCutoff;
use crate::origin::Standing;
use crate::scope::{Left, Visibility};
use crate::since::Since;
use crate::table::{TableDefinition, TableOn};
use crate::token::{self, Aside, TableState};
use chrono::{DateTime, Duration, Utc};
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
    /// The horizon as it was last seen.
    horizon: Option<DateTime<Utc>>,
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
    pub(super) refuses_unreadable: bool,
    /// What earlier downloads set aside.
    known: Aside,
    /// Of that the ids that this model has, to be asked for again.
    again: Vec<Id>,
    /// What the next download is told of rows that were set aside.
    aside: Aside,
    /// Those that no message can name are told anew.
    pub(super) anew: bool,
    /// The least stamp of those that were met.
    earliest: Option<DateTime<Utc>>,
    /// How many times as wide a page is read because one ended with a row that it can't go on from.
    wider: i64,
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
            horizon: cutoff.horizon,
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
            refuses_unreadable: false,
            known: Aside::default(),
            again: Vec::new(),
            aside: Aside::default(),
            anew: false,
            earliest: None,
            wider: 1,
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
        let is_unfinished = unfinished.is_some();
        let aside = request.state.as_ref().and_then(|state| state.aside.clone());
        let earliest = self.remind::<M, DB>(aside.unwrap_or_default(), is_unfinished);
        // Removals are complete up to the cutoff, whatever rows are read again: the horizon has to do with it alone.
        let beginning = Beginning {
            since,
            rows: earliest.map_or(since, |earliest| since.min(earliest)),
        };
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
                    beginning,
                    until: end_of_time(),
                    places: Places::default(),
                    limit,
                });
            }
            (None, None) => {
                self.reset = false;
                self.reading = Reading::Since(beginning);
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
        (self.known, self.aside, self.earliest) = Default::default();
        self.anew = false;
        self.again.clear();
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
        if self.reading.has_kind() && !self.definition.untracked && !lines.header {
            return Err(DownloadError::NotTracked {
                table: self.definition.key(),
            });
        }
        self.wider = match lines.is_stuck {
            true => self.wider.saturating_mul(2),
            false => 1,
        };
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
                if !lines.is_stuck {
                    page.places.follow(lines.places);
                    page.until = self.clock;
                }
                full
            }
        };
        self.finished = !more;
        (self.reset, self.anew) = (false, false);
        self.asked = None;
        Ok(Advance::Done)
    }

    pub(super) fn limit(&mut self, wanted: i64) {
        let wanted = wanted.saturating_mul(self.wider);
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
        self.horizon = cutoff.horizon.or(self.horizon);
        self.clock = clock;
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
                let since = page.beginning.since;
                let reached = page.places.reached().unwrap_or(since).max(since);
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
            aside: self.aside_next(),
        })
    }
}
