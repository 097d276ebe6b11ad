//! The download of one table: which statement comes next, and what takes its lines.

use super::progress::Progress;
use super::reader::Reader;
use super::unreadable::Taken;
use super::{DownloadError, TableNews};
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::cutoff::Cutoffs;
use crate::origin::Standing;
use crate::scope::{KeyChange, Left, Visibility};
use crate::since::Since;
use crate::statement::{Fragment, Statement};
use crate::table::{SyncTable, TableOn};
use crate::token::TableState;
use crate::wire::WireError;
use chrono::{DateTime, Utc};
use diesel::row::Row;

/// Whoever keeps the rows of one table.
pub(crate) trait Sink<M: TableOn<DB>, DB: SyncBackend> {
    /// How many bytes have been made of the rows so far, if nothing is kept of them.
    fn passed_on(&self) -> Option<u64> {
        None
    }

    /// The table's lines begin; after a `reset` they are all that is visible.
    fn begin(&mut self, about: &About<'_>) -> Result<(), DownloadError>;
    /// A row, from column `at` on. Nothing is kept of one that can't be read.
    fn row<'r>(&mut self, row: &impl Row<'r, DB>, at: usize) -> Result<Taken, DownloadError>;
    /// The id of a removal, in the columns from `at` on.
    fn removed<'r>(&mut self, row: &impl Row<'r, DB>, at: usize) -> Result<Taken, DownloadError>;
    /// Tells of a row that can't be read.
    fn unreadable(&mut self, error: WireError);
    /// The table's lines end; they are complete up to `cutoff`.
    fn end(&mut self, cutoff: DateTime<Utc>) -> Result<(), DownloadError>;
}

/// What is known of a table's news before its lines.
#[derive(Debug)]
pub(crate) struct About<'a> {
    pub(crate) reset: bool,
    /// What the scope no longer shows.
    pub(crate) left: Option<&'a Left>,
    /// Rows that can't travel, and that no message can name, are told anew.
    pub(crate) anew: bool,
}

/// What a caller asks of one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) since: Since,
    /// What the token said; `None` for a bare timestamp.
    pub(crate) state: Option<TableState>,
    pub(crate) standing: Standing,
    /// Keys that the token doesn't tell can be asked for.
    pub(crate) asks_for_keys: bool,
}

/// The download of one table, whole or by pages.
///
#[doc = include_str!("../../docs/examples/table_download.md")]
pub struct TableDownload<'a, M: SyncTable, DB: SyncBackend> {
    visibility: Visibility<'a, DB>,
    /// Which rows come from the beginning because their key joined the scope.
    joined: Option<Box<Fragment<'a, DB>>>,
    /// The next statement judges the caller's transaction, and whether Diesel knows of one.
    inside: Option<bool>,
    progress: Progress<M::Id>,
    /// How far it had come when what was read had been delivered.
    kept: Progress<M::Id>,
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
        let mut progress = Progress::new(&visibility, &request, cutoff, cutoffs.clock, limit)?;
        let state = request.state.as_ref();
        let before = state.and_then(|state| state.keys.as_deref());
        progress.forgotten = match state.and_then(|state| state.digest.as_ref()) {
            Some(digest) if before.is_none() => !progress.has_keys(digest),
            _ => false,
        };
        if progress.forgotten && request.asks_for_keys {
            return Err(DownloadError::Keys);
        }
        let KeyChange {
            left,
            joined,
            exact,
        } = match before {
            Some(before) => visibility.keys_since(before)?,
            None => KeyChange {
                left: None,
                joined: None,
                exact: true,
            },
        };
        progress.left = left;
        progress.exact = exact;
        progress.resume::<M, DB>(request, joined.is_some())?;
        Ok(TableDownload {
            visibility,
            joined,
            inside: None,
            kept: progress.clone(),
            progress,
        })
    }

    /// What was read has been delivered: the token goes on from here.
    pub(crate) fn keep(&mut self) {
        self.kept = self.progress.clone();
    }

    /// Goes back to where the last delivery ended: what was read since has not arrived.
    pub(crate) fn rewind(&mut self) {
        self.progress = self.kept.clone();
    }

    /// The next statement judges the caller's transaction itself. `inside`: Diesel knows of one.
    pub(crate) fn judge(&mut self, inside: bool) {
        self.inside = Some(inside);
    }

    /// The next statement, and what takes its lines.
    pub(crate) fn next<'d, K: Sink<M, DB>>(
        &'d mut self,
        sink: &'d mut K,
    ) -> Result<(Statement<'d, DB>, Reader<'d, M, K>), DownloadError> {
        self.progress.lines = Default::default();
        let statement = self.progress.reading.statement::<M, DB>(
            &self.visibility,
            self.joined.as_deref(),
            self.progress.doubted(),
            self.inside,
            self.progress.asked_again(),
        )?;
        Ok((statement, Reader::new(&mut self.progress, sink)))
    }

    /// Nothing is left to read.
    pub(crate) fn is_finished(&self) -> bool {
        self.progress.finished
    }

    /// Whether it is left out of the download.
    pub(crate) fn is_skipped(&self) -> bool {
        self.progress.is_skipped()
    }

    /// A part of it has been delivered before.
    pub(crate) fn has_delivered(&self) -> bool {
        self.kept.is_begun()
    }

    /// The instant up to which what was read so far is complete, for whoever has no token.
    pub(crate) fn told_until(&self) -> DateTime<Utc> {
        self.progress.told_until()
    }

    /// A row that can't be read fails the download from now on.
    pub(crate) fn refuse_unreadable(&mut self) {
        self.progress.refuses_unreadable = true;
        self.kept.refuses_unreadable = true;
    }

    /// At most `wanted` lines of each kind are read next, if this is a download by pages.
    pub(crate) fn limit(&mut self, wanted: i64) {
        self.progress.limit(wanted);
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
        if self.progress.is_skipped() {
            return true;
        }
        let fits = self.progress.confirm(cutoff, cutoffs.clock);
        news.cutoff = self.progress.told_until();
        fits
    }

    /// The news of a table that is not read now.
    pub(crate) fn nothing(&self) -> TableNews<M> {
        TableNews {
            cutoff: self.progress.told_until(),
            ..TableNews::default()
        }
    }

    /// Whether it was read by a statement that has no header.
    pub(crate) fn lacks_header(&self) -> bool {
        let progress = &self.progress;
        !progress.is_skipped() && !progress.definition.untracked && !progress.reading.has_kind()
    }

    /// The greatest clock of what was read so far.
    pub(crate) fn clock(&self) -> Clock {
        self.progress.latest.clock()
    }

    /// What the next download is told, once everything read so far has been delivered.
    pub(crate) fn state(&self) -> Result<TableState, DownloadError> {
        self.kept.state::<M, DB>()
    }
}
