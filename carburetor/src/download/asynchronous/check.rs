//! Whether tables can be downloaded at all.

use super::cutoffs;
use crate::backend::SyncBackend;
use crate::connection::{Flow, PacedRows, SharedConnection, TakeRows};
use crate::cutoff::Assumptions;
use crate::download::DownloadError;
use crate::origin::Origin;
use crate::statement::Statement;
use crate::table::TableDefinition;
use diesel::row::Row;

/// Reads the cutoffs of the tables, and from each of them nothing: it fails where the tracking is not as it has to be, or a table, a column or a right to them is missing.
pub(crate) async fn check<X, DB>(
    conn: &X,
    definitions: &[&'static TableDefinition],
) -> Result<(), DownloadError>
where
    DB: SyncBackend,
    X: SharedConnection<DB>,
{
    let (assumptions, origin) = (Assumptions::default(), Origin::default());
    cutoffs(conn, definitions, &assumptions, false, &origin).await?;
    for definition in definitions {
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
        conn.run(read, &mut Nothing).await?;
    }
    Ok(())
}

/// No row comes.
struct Nothing;

impl<DB: SyncBackend> TakeRows<DB> for Nothing {
    type Error = DownloadError;

    fn take<'r>(&mut self, _row: &impl Row<'r, DB>) -> Result<Flow, DownloadError> {
        Ok(Flow::Stop)
    }
}

impl<DB: SyncBackend> PacedRows<DB> for Nothing {}
