//! How many lines a page may still hold.

use super::{TableDownload, TableNews};
use crate::backend::SyncBackend;
use crate::table::{SyncTable, TableOn};

/// What is left of a page; nothing limits a download that has no pages.
pub(crate) struct Budget(Option<i64>);

impl Budget {
    pub(crate) fn unlimited() -> Self {
        Budget(None)
    }

    pub(crate) fn of(limit: i64) -> Self {
        Budget(Some(limit))
    }

    /// Whether `table` has something to read and may; it is then limited to what is left.
    pub(crate) fn allows<M, DB>(&self, table: &mut TableDownload<'_, M, DB>) -> bool
    where
        M: TableOn<DB>,
        DB: SyncBackend,
    {
        match self.0 {
            _ if table.is_finished() => false,
            None => true,
            Some(left) if left > 0 => {
                table.limit(left);
                true
            }
            Some(_) => false,
        }
    }

    pub(crate) fn spend<M: SyncTable>(&mut self, news: &TableNews<M>) {
        self.take(news.rows.len() + news.removed.len());
    }

    pub(crate) fn take(&mut self, lines: usize) {
        if let Some(left) = &mut self.0 {
            *left = left.saturating_sub(i64::try_from(lines).unwrap_or(i64::MAX));
        }
    }
}
