//! A page written on an asynchronous connection.

use super::{Bounded, PageText};
use crate::backend::SyncBackend;
use crate::connection::SharedConnection;
use crate::download::DownloadError;
use crate::download::asynchronous::{PacedSink, read};
use crate::download::table::TableDownload;
use crate::group::VisitTableAsync;
use crate::table::TableOn;
use crate::wire::rows::JsonTable;

/// Writes the tables of a page on an asynchronous connection, one after the other.
pub(crate) struct WritePageAsync<'p, X> {
    pub(crate) conn: &'p X,
    pub(crate) text: &'p mut PageText,
}

impl<DB, X> VisitTableAsync<DB> for WritePageAsync<'_, X>
where
    DB: SyncBackend,
    X: SharedConnection<DB>,
{
    async fn visit<M: TableOn<DB>>(
        &mut self,
        table: &mut TableDownload<'_, M, DB>,
    ) -> Result<(), DownloadError> {
        if table.is_skipped() || !self.text.begin(table)? {
            return Ok(());
        }
        let mut sink = self.text.sink::<M, DB>();
        read(self.conn, table, &mut sink).await?;
        let ended = sink.ended();
        self.text.take(ended, table.told_until());
        Ok(())
    }
}

impl<M, DB> PacedSink<M, DB> for JsonTable<'_, Bounded<'_>, DB>
where
    M: TableOn<DB>,
    DB: SyncBackend,
{
}
