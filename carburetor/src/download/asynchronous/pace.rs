//! Sinks that may have to wait for whoever reads what they make of the rows.

use crate::backend::SyncBackend;
use crate::connection::PacedRows;
use crate::cutoff::CutoffRows;
use crate::download::ahead::Ahead;
use crate::download::reader::Reader;
use crate::download::table::Sink;
use crate::download::{DownloadError, TableNews};
use crate::table::TableOn;

/// A sink that may have to wait for whoever reads what it makes of the rows.
pub(crate) trait PacedSink<M: TableOn<DB>, DB: SyncBackend>: Sink<M, DB> + Send {
    /// Waits between two rows, if it is time.
    fn pause(&mut self) -> impl Future<Output = Result<(), DownloadError>> + Send {
        std::future::ready(Ok(()))
    }
}

impl<M: TableOn<DB>, DB: SyncBackend> PacedSink<M, DB> for TableNews<M> {}

impl<DB: SyncBackend> PacedRows<DB> for CutoffRows<'_> {}

impl<DB: SyncBackend> PacedRows<DB> for Ahead {}

impl<M, DB, K> PacedRows<DB> for Reader<'_, M, K>
where
    M: TableOn<DB>,
    DB: SyncBackend,
    K: PacedSink<M, DB>,
{
    fn pause(&mut self) -> impl Future<Output = Result<(), DownloadError>> + Send {
        self.sink.pause()
    }
}
