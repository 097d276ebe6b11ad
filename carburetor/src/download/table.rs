//! The download of one table: which statement comes next, and what its lines say.

use super::reading::{Place, Places, Reading, SincePage, kind};
use super::{DownloadError, TableNews};
use crate::backend::SyncBackend;
use crate::connection::{Flow, TakeRows};
use crate::cutoff::{Cutoffs, TableCutoff};
use crate::scope::{KeyChange, Left, Visibility};
use crate::since::Since;
use crate::statement::{Fragment, Statement};
use crate::table::{SyncTable, TableDefinition, TableOn};
use crate::token::TableState;
use chrono::{DateTime, Duration, Utc};
use diesel::row::Row;
use serde_json::Value;

/// Whoever keeps the rows of one table.
pub(crate) trait Sink<M: TableOn<DB>, DB: SyncBackend> {
    /// Whether nothing is kept of a row.
    const PASSES_ON: bool;

    /// The table's lines begin; after a `reset` they are all that is visible.
    fn begin(&mut self, about: &About<'_>) -> Result<(), DownloadError>;
    /// A row, from column `at` on.
    fn row<'r>(&mut self, row: &impl Row<'r, DB>, at: usize) -> Result<(), DownloadError>;
    /// The id of a removal, in the columns from `at` on.
    fn removed<'r>(&mut self, row: &impl Row<'r, DB>, at: usize) -> Result<(), DownloadError>;
    /// The table's lines end; they are complete up to `cutoff`.
    fn end(&mut self, cutoff: DateTime<Utc>) -> Result<(), DownloadError>;
}

/// What is known of a table's news before its lines.
#[derive(Debug)]
pub(crate) struct About<'a> {
    pub(crate) reset: bool,
    /// What the scope no longer shows.
    pub(crate) left: Option<&'a Left>,
}

/// What a caller asks of one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) since: Since,
    /// What the token said; `None` for a bare timestamp.
    pub(crate) state: Option<TableState>,
    /// The token is of another timeline of the server.
    pub(crate) other_timeline: bool,
}

/// After a failover the new server may lack what the old one had stamped last.
const FAILOVER: Duration = Duration::seconds(60);

/// The download of one table, whole or by pages.
///
#[doc = include_str!("../../docs/examples/table_download.md")]
pub struct TableDownload<'a, M: SyncTable, DB: SyncBackend> {
    visibility: Visibility<'a, DB>,
    /// Which rows come from the beginning because their key joined the scope.
    joined: Option<Box<Fragment<'a, DB>>>,
    progress: Progress<M>,
}

/// How far the download of one table has come.
struct Progress<M: SyncTable> {
    definition: &'static TableDefinition,
    fingerprint: String,
    cutoff: TableCutoff,
    clock: DateTime<Utc>,
    reading: Reading<M::Id>,
    reset: bool,
    /// The greatest timestamp that the replica is known to have.
    since: Option<DateTime<Utc>>,
    expected_generation: Option<i64>,
    left: Option<Left>,
    keys: Option<Vec<Value>>,
    /// The table is left out, and what the token said of it stays.
    skipped: Option<Option<TableState>>,
    limit: Option<i64>,
    lines: Lines<M::Id>,
    finished: bool,
}

/// What the lines of the running statement have said so far.
struct Lines<Id> {
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

impl<M: SyncTable, DB: SyncBackend> std::fmt::Debug for TableDownload<'_, M, DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableDownload")
            .field("table", &M::NAME)
            .finish_non_exhaustive()
    }
}

impl<'a, M: TableOn<DB>, DB: SyncBackend> TableDownload<'a, M, DB> {
    /// Decides from where to read. `place` is the table's place in the group.
    pub(crate) fn new(
        visibility: Visibility<'a, DB>,
        request: Request,
        cutoffs: &Cutoffs,
        place: usize,
        limit: Option<i64>,
    ) -> Result<Self, DownloadError> {
        let cutoff = cutoffs
            .tables
            .get(place)
            .cloned()
            .ok_or(DownloadError::NoCutoff)?;
        let fingerprint = super::fingerprint::of(&visibility);
        let mut progress = Progress {
            definition: visibility.definition(),
            fingerprint,
            clock: cutoffs.clock,
            reading: Reading::All,
            reset: true,
            since: None,
            expected_generation: None,
            left: None,
            keys: visibility.keys()?,
            skipped: (request.since == Since::Skip).then(|| request.state.clone()),
            limit,
            lines: Lines::default(),
            finished: request.since == Since::Skip,
            cutoff,
        };
        let before = request
            .state
            .as_ref()
            .and_then(|state| state.keys.as_deref());
        let KeyChange { left, joined } = match before {
            Some(before) => visibility.keys_since(before)?,
            None => KeyChange {
                left: None,
                joined: None,
            },
        };
        progress.left = left;
        progress.resume::<DB>(request, joined.is_some())?;
        Ok(TableDownload {
            visibility,
            joined,
            progress,
        })
    }

    /// The next statement, and what takes its lines.
    pub(crate) fn next<'d, K: Sink<M, DB>>(
        &'d mut self,
        sink: &'d mut K,
    ) -> Result<(Statement<'d, DB>, Reader<'d, M, K>), DownloadError> {
        let statement = self
            .progress
            .reading
            .statement::<M, DB>(&self.visibility, self.joined.as_deref())?;
        Ok((
            statement,
            Reader {
                progress: &mut self.progress,
                sink,
                begun: false,
            },
        ))
    }

    /// Nothing is left to read.
    pub(crate) fn is_finished(&self) -> bool {
        self.progress.finished
    }

    /// At most `wanted` lines of each kind are read next, if this is a download by pages.
    pub(crate) fn limit(&mut self, wanted: i64) {
        match &mut self.progress.reading {
            Reading::AllPage { limit, .. } => *limit = wanted,
            Reading::SincePage(page) => page.limit = wanted,
            Reading::All | Reading::Since(_) => {}
        }
        self.progress.limit = Some(wanted);
    }

    /// Takes the cutoffs that have come while the whole table was being read; `false` if it has to be read again with them.
    pub(crate) fn confirm(
        &mut self,
        news: &mut TableNews<M>,
        cutoffs: &Cutoffs,
        place: usize,
    ) -> bool {
        let Some(cutoff) = cutoffs.tables.get(place) else {
            return false;
        };
        let progress = &mut self.progress;
        if progress.skipped.is_some() {
            return true;
        }
        let fits = progress.since.is_none_or(|since| since <= cutoffs.clock)
            && progress
                .expected_generation
                .is_none_or(|expected| Some(expected) == cutoff.generation);
        progress.cutoff = cutoff.clone();
        news.cutoff = progress.complete_until();
        fits
    }

    /// What the next download is told.
    pub(crate) fn state(&self) -> Result<TableState, DownloadError> {
        self.progress.state::<DB>()
    }
}

impl<M: SyncTable> Progress<M> {
    fn resume<DB>(&mut self, request: Request, joined: bool) -> Result<(), DownloadError>
    where
        DB: SyncBackend,
        M: TableOn<DB>,
    {
        let fits = request.state.as_ref().is_none_or(|state| {
            state.fingerprint == self.fingerprint && state.generation == self.cutoff.generation
        });
        let unfinished = request.state.as_ref().and_then(|state| state.after.clone());
        let mut since = match request.since {
            Since::At(since) if fits && since <= self.clock => since,
            _ => {
                self.begin_again();
                return Ok(());
            }
        };
        if request.other_timeline {
            since -= FAILOVER;
        }
        self.since = Some(since);
        self.expected_generation = request.state.and_then(|state| state.generation);
        match (unfinished, self.limit) {
            (Some(_), Some(_)) if joined => self.begin_again(),
            (Some(after), Some(limit)) => {
                self.cutoff.cutoff = since;
                self.since = None;
                self.reading = Reading::AllPage {
                    after: Some(M::decode_id(after)?),
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
                    until: self.clock,
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

    fn begin_again(&mut self) {
        self.reset = true;
        self.left = None;
        self.since = None;
        self.reading = match self.limit {
            Some(limit) => Reading::AllPage { after: None, limit },
            None => Reading::All,
        };
    }

    /// The statement's lines have been taken: prepares the next one. Returns how many lines counted.
    fn advance(&mut self) -> Result<Advance, DownloadError> {
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
                full
            }
        };
        self.finished = !more;
        self.reset = false;
        Ok(Advance::Done)
    }

    /// The instant up to which what was delivered so far is complete.
    fn complete_until(&self) -> DateTime<Utc> {
        let cutoff = self
            .since
            .map_or(self.cutoff.cutoff, |since| since.max(self.cutoff.cutoff));
        match &self.reading {
            Reading::SincePage(page) if !self.finished => {
                page.places.reached().unwrap_or(page.since).min(cutoff)
            }
            Reading::AllPage { after: None, .. } if !self.finished => DateTime::UNIX_EPOCH,
            _ => cutoff,
        }
    }

    /// What the next download is told.
    fn state<DB>(&self) -> Result<TableState, DownloadError>
    where
        DB: SyncBackend,
        M: TableOn<DB>,
    {
        if let Some(kept) = &self.skipped {
            let unknown = || TableState {
                name: self.definition.wire_name.clone(),
                ..TableState::default()
            };
            return Ok(kept.clone().unwrap_or_else(unknown));
        }
        let after = match &self.reading {
            Reading::AllPage {
                after: Some(after), ..
            } if !self.finished => Some(M::encode_id(after)?),
            _ => None,
        };
        let begun =
            !matches!(&self.reading, Reading::AllPage { after: None, .. } if !self.finished);
        Ok(TableState {
            name: self.definition.wire_name.clone(),
            since: begun.then(|| self.complete_until().timestamp_micros()),
            fingerprint: self.fingerprint.clone(),
            generation: self.cutoff.generation,
            after,
            keys: self.keys.clone(),
        })
    }

    fn header<'r, DB: SyncBackend>(
        &mut self,
        row: &impl Row<'r, DB>,
    ) -> Result<Flow, DownloadError> {
        self.lines.header = true;
        let horizon = DB::integer(row, 1)?.and_then(DateTime::from_timestamp_micros);
        let generation = DB::integer(row, 2)?;
        let behind = self
            .since
            .is_some_and(|since| horizon.is_none_or(|horizon| since < horizon));
        let moved = match &self.reading {
            Reading::AllPage { .. } => generation != self.cutoff.generation,
            _ => self.expected_generation.is_some() && generation != self.expected_generation,
        };
        if behind || moved {
            self.cutoff.generation = generation;
            self.expected_generation = generation;
            self.lines.restart = true;
            return Ok(Flow::Stop);
        }
        Ok(Flow::Next)
    }

    fn remember<'r, DB: SyncBackend>(
        &mut self,
        row: &impl Row<'r, DB>,
        kind: usize,
    ) -> Result<(), DownloadError>
    where
        M: TableOn<DB>,
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

/// Takes the lines of one statement.
pub(crate) struct Reader<'d, M: SyncTable, K> {
    progress: &'d mut Progress<M>,
    pub(crate) sink: &'d mut K,
    begun: bool,
}

/// What follows the lines of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advance {
    /// Nothing that was read counts: the table begins again.
    Again,
    /// The lines have been delivered.
    Done,
}

impl<M: SyncTable, K> Reader<'_, M, K> {
    /// The lines have all been taken.
    pub(crate) fn finish<DB>(mut self) -> Result<Advance, DownloadError>
    where
        DB: SyncBackend,
        M: TableOn<DB>,
        K: Sink<M, DB>,
    {
        let reset = self.progress.reset;
        let advance = self.progress.advance()?;
        if advance == Advance::Done {
            self.begin::<DB>(reset)?;
            self.sink.end(self.progress.complete_until())?;
        }
        Ok(advance)
    }

    fn begin<DB>(&mut self, reset: bool) -> Result<(), DownloadError>
    where
        DB: SyncBackend,
        M: TableOn<DB>,
        K: Sink<M, DB>,
    {
        if !self.begun {
            self.begun = true;
            self.sink.begin(&About {
                reset,
                left: self.progress.left.as_ref(),
            })?;
        }
        Ok(())
    }
}

impl<M, DB, K> TakeRows<DB> for Reader<'_, M, K>
where
    M: TableOn<DB>,
    DB: SyncBackend,
    K: Sink<M, DB>,
{
    type Error = DownloadError;

    const PASSES_ON: bool = K::PASSES_ON;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, DownloadError> {
        let (kind, at) = if self.progress.reading.has_kind(self.progress.definition) {
            let kind = DB::integer(row, 0)?.and_then(|kind| usize::try_from(kind).ok());
            (kind.unwrap_or(kind::ROW), kind::COLUMNS)
        } else {
            (kind::ROW, 0)
        };
        if kind == kind::HEADER {
            return self.progress.header::<DB>(row);
        }
        self.begin::<DB>(self.progress.reset)?;
        self.progress.remember::<DB>(row, kind)?;
        match kind {
            kind::ROW => self.sink.row(row, at)?,
            _ => self.sink.removed(row, at)?,
        }
        Ok(Flow::Next)
    }
}

fn read_id<'r, M: TableOn<DB>, DB: SyncBackend>(
    row: &impl Row<'r, DB>,
    at: usize,
) -> Result<M::Id, DownloadError> {
    M::read_id(row, at).map_err(|error| diesel::result::Error::DeserializationError(error).into())
}
