//! A download as a message, written on an asynchronous connection: the next row is read when the writer has taken those before.

use super::rows::{CHUNK, Drain, JsonTable};
use crate::backend::SyncBackend;
use crate::connection::SharedConnection;
use crate::download::DownloadError;
use crate::download::asynchronous::{PacedSink, read};
use crate::download::table::TableDownload;
use crate::group::VisitTableAsync;
use crate::table::TableOn;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Writes the tables of a group, one after the other.
pub(crate) struct WriteTablesAsync<'w, X, W> {
    pub(crate) conn: &'w X,
    pub(crate) buffer: Vec<u8>,
    pub(crate) writer: &'w mut W,
    pub(crate) any: bool,
}

impl<DB, X, W> VisitTableAsync<DB> for WriteTablesAsync<'_, X, W>
where
    DB: SyncBackend,
    X: SharedConnection<DB>,
    W: AsyncWrite + Unpin + Send,
{
    async fn visit<M: TableOn<DB>>(
        &mut self,
        table: &mut TableDownload<'_, M, DB>,
    ) -> Result<(), DownloadError> {
        if table.is_finished() {
            return Ok(());
        }
        if self.any {
            self.buffer.push(b',');
        }
        self.any = true;
        let mut sink = JsonTable::new::<M>(&mut self.buffer, Waiting(&mut *self.writer));
        read(self.conn, table, &mut sink).await
    }
}

/// Waits for a writer with each full chunk.
struct Waiting<'w, W>(&'w mut W);

impl<W> Drain for Waiting<'_, W> {
    fn drain(&mut self, _buffer: &mut Vec<u8>) -> std::io::Result<()> {
        Ok(())
    }
}

impl<M, DB, W> PacedSink<M, DB> for JsonTable<'_, Waiting<'_, W>, DB>
where
    M: TableOn<DB>,
    DB: SyncBackend,
    W: AsyncWrite + Unpin + Send,
{
    async fn pause(&mut self) -> Result<(), DownloadError> {
        if self.buffer.len() >= CHUNK {
            self.drain.0.write_all(self.buffer).await?;
            self.buffer.clear();
        }
        Ok(())
    }
}
