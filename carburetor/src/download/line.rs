//! What stands before the row's own columns in the lines of a statement.

use crate::backend::SyncBackend;
use diesel::QueryResult;
use diesel::row::Row;

/// The columns before the row's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    Nothing,
    /// The database's clock: one line has it and nothing else, in whatever place it comes.
    Clock,
    /// The kind of the line, then the horizon or the stamp, the generation, and the database's clock. The header comes first.
    Kind,
}

/// What a line is.
pub(super) mod kind {
    pub(crate) const ROW: usize = 0;
    pub(crate) const REMOVAL: usize = 1;
    pub(crate) const DELETED: usize = 2;
    /// How many kinds are read by pages.
    pub(crate) const LEGS: usize = 3;
    pub(crate) const HEADER: usize = 3;
    /// The line that has the database's clock, where none has a kind.
    pub(crate) const CLOCK: usize = 4;
}

/// In the place of the database's clock, in the lines that don't have it.
pub(super) const NO_CLOCK: &str = "cast(null as text)";

impl Lead {
    /// How many columns it has.
    pub(super) fn columns(self) -> usize {
        match self {
            Lead::Nothing => 0,
            Lead::Clock => 1,
            Lead::Kind => 4,
        }
    }

    /// What the line is.
    pub(super) fn kind<'r, DB: SyncBackend>(self, row: &impl Row<'r, DB>) -> QueryResult<usize> {
        Ok(match self {
            Lead::Nothing => kind::ROW,
            Lead::Clock => match self.ahead(row)? {
                Some(_) => kind::CLOCK,
                None => kind::ROW,
            },
            Lead::Kind => {
                let kind = DB::integer(row, 0)?.and_then(|kind| usize::try_from(kind).ok());
                kind.unwrap_or(kind::ROW)
            }
        })
    }

    /// The database's clock, in the line that has it.
    pub(super) fn ahead<'r, DB: SyncBackend>(
        self,
        row: &impl Row<'r, DB>,
    ) -> QueryResult<Option<String>> {
        match self.columns().checked_sub(1) {
            Some(last) => DB::text(row, last),
            None => Ok(None),
        }
    }
}
