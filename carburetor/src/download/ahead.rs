//! The clocks that the database has accepted from ahead of its own: whoever sees them has to write later.

use super::DownloadError;
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::connection::{Flow, TakeRows};
use crate::statement::Statement;
use diesel::QueryResult;
use diesel::row::Row;

/// The greatest clock that the database has accepted from ahead of its own.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ahead(Clock);

impl Ahead {
    /// The statement that reads it, where those of the tables had no header. It runs after them, so it says no less than they have seen: this clock
    /// never goes back.
    pub(super) fn statement<DB: SyncBackend>() -> Statement<'static, DB> {
        Statement::of(format!("select ahead from {}", DB::CLOCK))
    }

    pub(super) fn clock(self) -> Clock {
        self.0
    }

    /// It stands in `column`.
    pub(super) fn read<'r, DB: SyncBackend>(
        &mut self,
        row: &impl Row<'r, DB>,
        column: usize,
    ) -> QueryResult<()> {
        let text = DB::text(row, column)?.unwrap_or_default();
        // Empty where there is none; what somebody else has written there is none either.
        self.0 = self.0.max(text.parse().unwrap_or(Clock::ZERO));
        Ok(())
    }
}

impl<DB: SyncBackend> TakeRows<DB> for Ahead {
    type Error = DownloadError;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, DownloadError> {
        self.read(row, 0)?;
        Ok(Flow::Next)
    }
}
