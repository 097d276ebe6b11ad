//! What a look at the tables asks, to know whether they can be downloaded at all.

use super::DownloadError;
use crate::backend::SyncBackend;
use crate::connection::{Flow, PacedRows, TakeRows};
use crate::statement::Statement;
use crate::table::TableDefinition;
use diesel::row::Row;

/// Reads nothing of a table: it fails where the table, a column or a right to them is missing.
pub(super) fn nothing_of<DB: SyncBackend>(
    definition: &'static TableDefinition,
) -> Statement<'static, DB> {
    // SQLite takes a column that it doesn't find for a text, unless its table is named.
    let columns = definition.downloaded();
    let columns = columns.map(|column| format!("carburetor_checked.{}", column.quoted()));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let table = definition.sql_name();
    let mut read = Statement::of(format!(
        "select {columns} from {table} carburetor_checked where 1 = 0"
    ));
    if !definition.untracked {
        let removed = DB::removal_table(definition);
        read.sql(format!(" and exists (select 1 from {removed})"));
    }
    read
}

/// No row comes.
pub(super) struct Nothing;

impl<DB: SyncBackend> TakeRows<DB> for Nothing {
    type Error = DownloadError;

    fn take<'r>(&mut self, _row: &impl Row<'r, DB>) -> Result<Flow, DownloadError> {
        Ok(Flow::Stop)
    }
}

impl<DB: SyncBackend> PacedRows<DB> for Nothing {}
