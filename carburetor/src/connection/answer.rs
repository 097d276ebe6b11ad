//! What the database answers to a question of the library's own: rows of text.

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
    pub(crate) fn is_any(&self) -> bool {
        !self.rows.is_empty()
    }

    /// The only value of the only row, if there is one.
    pub(crate) fn value(self) -> Option<String> {
        self.columns().next()?
    }

    /// The columns of the only row.
    pub(crate) fn columns(self) -> impl Iterator<Item = Option<String>> {
        self.rows.into_iter().next().unwrap_or_default().into_iter()
    }

    /// The values of the only column.
    pub(crate) fn values(self) -> impl Iterator<Item = String> {
        self.rows
            .into_iter()
            .filter_map(|row| row.into_iter().next()?)
    }

    /// All rows.
    pub(crate) fn rows(self) -> impl Iterator<Item = Vec<Option<String>>> {
        self.rows.into_iter()
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

impl<DB: SyncBackend> crate::connection::PacedRows<DB> for Answer {}
