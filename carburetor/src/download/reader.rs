//! The lines of one statement, on their way to whoever keeps them.

use super::DownloadError;
use super::progress::{Advance, Progress};
use super::reading::kind;
use super::table::{About, Sink};
use super::unreadable::{id_of, lacks_id, unfit};
use crate::backend::SyncBackend;
use crate::connection::{Flow, TakeRows};
use crate::table::{SyncTable, TableOn};
use diesel::row::Row;

/// Takes the lines of one statement.
pub(crate) struct Reader<'d, M: SyncTable, K> {
    progress: &'d mut Progress<M::Id>,
    pub(crate) sink: &'d mut K,
    begun: bool,
}

impl<'d, M: SyncTable, K> Reader<'d, M, K> {
    pub(super) fn new(progress: &'d mut Progress<M::Id>, sink: &'d mut K) -> Self {
        Reader {
            progress,
            sink,
            begun: false,
        }
    }

    /// The lines have all been taken.
    pub(crate) fn finish<DB>(mut self) -> Result<Advance, DownloadError>
    where
        DB: SyncBackend,
        M: TableOn<DB>,
        K: Sink<M, DB>,
    {
        let (reset, anew) = (self.progress.reset, self.progress.anew);
        let advance = self.progress.advance()?;
        if advance == Advance::Done {
            self.begin::<DB>(reset, anew)?;
            self.sink.end(self.progress.told_until())?;
        }
        Ok(advance)
    }

    fn begin<DB>(&mut self, reset: bool, anew: bool) -> Result<(), DownloadError>
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
                anew,
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

    fn passed_on(&self) -> Option<u64> {
        self.sink.passed_on()
    }

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, DownloadError> {
        let (kind, at) = if self.progress.reading.has_kind() {
            let kind = DB::integer(row, 0)?.and_then(|kind| usize::try_from(kind).ok());
            (kind.unwrap_or(kind::ROW), kind::COLUMNS)
        } else {
            (kind::ROW, 0)
        };
        match kind {
            kind::HEADER => return self.progress.header::<DB>(row),
            kind::REFUSAL => {
                let problem = DB::text(row, 3)?.unwrap_or_default();
                let definition = self.progress.definition;
                return Err(DownloadError::circumstance(
                    &problem,
                    definition,
                    String::new(),
                ));
            }
            kind::REMOVAL => self.progress.latest.removal(row)?,
            _ => self.progress.latest.row(row, at)?,
        }
        self.begin::<DB>(self.progress.reset, self.progress.anew)?;
        self.progress.remember::<M, DB>(row, kind)?;
        let is_row = matches!(kind, kind::ROW | kind::AGAIN);
        let unfit = unfit::<M, DB>(row, at);
        if !is_row && unfit.is_some() {
            self.progress.nameless_went();
        }
        let taken = match (is_row, unfit) {
            (true, Some(error)) => Err(error),
            (true, None) => self.sink.row(row, at)?,
            // Nobody has got it.
            (false, Some(_)) if lacks_id::<M, DB>(row, at).is_some() => return Ok(Flow::Next),
            (false, _) => self.sink.removed(row, at)?,
        };
        if let Err(error) = taken {
            let id = id_of::<M, DB>(row, at);
            if !is_row && id.is_none() {
                self.progress.nameless_went();
                return Ok(Flow::Next);
            }
            let stamp = self.progress.latest.stamp_of(row, at)?;
            if let Some(error) = self.progress.set_aside(error, id, stamp, is_row)? {
                self.sink.unreadable(error);
            }
        }
        Ok(Flow::Next)
    }
}
