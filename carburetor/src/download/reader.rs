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
        let reset = self.progress.reset;
        let advance = self.progress.advance()?;
        if advance == Advance::Done {
            self.begin::<DB>(reset)?;
            self.sink.end(self.progress.told_until())?;
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
        self.begin::<DB>(self.progress.reset)?;
        self.progress.remember::<M, DB>(row, kind)?;
        let is_row = matches!(kind, kind::ROW | kind::AGAIN);
        let taken = match is_row {
            true => match unfit::<M, DB>(row, at) {
                Some(error) => Err(error),
                None => self.sink.row(row, at)?,
            },
            // Nobody has got it.
            false if lacks_id::<M, DB>(row, at).is_some() => return Ok(Flow::Next),
            false => self.sink.removed(row, at)?,
        };
        if let Err(error) = taken {
            let id = id_of::<M, DB>(row, at);
            let stamp = self.progress.latest.stamp_of(row, at)?;
            if let Some(error) = self.progress.set_aside(error, id, stamp, is_row)? {
                self.sink.unreadable(error);
            }
        }
        Ok(Flow::Next)
    }
}
