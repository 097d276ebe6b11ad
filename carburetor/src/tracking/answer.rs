//! What the database answers to a question about its tracking: rows of text.

use crate::backend::SyncBackend;
use crate::connection::{Flow, TakeRows};
use diesel::QueryResult;
use diesel::row::Row;

/// Rows of text columns.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    rows: Vec<Vec<Option<String>>>,
}

impl Answer {
    /// Whether there is a row.
    pub(super) fn is_any(&self) -> bool {
        !self.rows.is_empty()
    }

    /// The only value of the only row, if there is one.
    pub(super) fn value(self) -> Option<String> {
        self.columns().next()?
    }

    /// The columns of the only row.
    pub(super) fn columns(self) -> impl Iterator<Item = Option<String>> {
        self.rows.into_iter().next().unwrap_or_default().into_iter()
    }

    /// The values of the only column.
    pub(super) fn values(self) -> impl Iterator<Item = String> {
        self.rows
            .into_iter()
            .filter_map(|row| row.into_iter().next()?)
    }

    #[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
    /// Rows of (name, problem, remedy).
    pub(super) fn problems(self) -> impl Iterator<Item = super::Problem> {
        self.rows.into_iter().map(|row| {
            let mut columns = row.into_iter().map(Option::unwrap_or_default);
            let mut next = || columns.next().unwrap_or_default();
            super::Problem::new(next(), next(), next())
        })
    }
}

impl<DB: SyncBackend> TakeRows<DB> for Answer {
    type Error = diesel::result::Error;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> QueryResult<Flow> {
        let columns = 0..row.field_count();
        self.rows.push(
            columns
                .map(|column| DB::text(row, column))
                .collect::<Result<_, _>>()?,
        );
        Ok(Flow::Next)
    }
}

#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
impl<DB: SyncBackend> crate::connection::PacedRows<DB> for Answer {}
