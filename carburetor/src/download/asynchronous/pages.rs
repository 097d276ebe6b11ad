//! Pages on an asynchronous connection.

use super::{cutoffs, judge};
use crate::backend::SyncBackend;
use crate::connection::SyncConnectionAsync;
use crate::download::budget::Budget;
use crate::download::{DownloadError, Pages, Response};
use crate::group::DownloadTablesAsync;

impl<T, S, DB> Pages<'_, T, S, DB>
where
    DB: SyncBackend,
    S: Sync,
    T: DownloadTablesAsync<DB, S>,
{
    /// The next page, or `None` after the last one. Each page may be read on another connection to the same server.
    ///
    #[doc = include_str!("../../../docs/examples/pages_next_async.md")]
    ///
    /// # Errors
    ///
    /// As [`Scoped::download_async`](crate::Scoped::download_async), each page within the transaction that it is asked for in; the same page can be
    /// asked for again.
    #[allow(
        clippy::manual_async_fn,
        reason = "an `async fn` is not known to be `Send` for every lifetime"
    )]
    pub fn next_async<C>(
        &mut self,
        conn: &mut C,
    ) -> impl Future<Output = Result<Option<Response<T>>, DownloadError>> + Send
    where
        C: SyncConnectionAsync<Database = DB>,
    {
        async move {
            let inside = judge(conn).await?;
            let conn = conn.share();
            if self.run.is_none() {
                let (definitions, known) = (T::definitions(), self.origin());
                let cutoffs = cutoffs(
                    &conn,
                    &definitions,
                    self.scoped.assumptions(),
                    inside,
                    &known,
                )
                .await?;
                self.begin(&definitions, &cutoffs)?;
            }
            let limit = self.limit;
            match self.run.as_mut().filter(|run| !run.is_finished()) {
                None => Ok(None),
                Some(run) => {
                    run.rewind()?;
                    run.judge(inside)?;
                    let news = T::read_page(&conn, &mut run.tables, &mut Budget::of(limit)).await?;
                    run.response(news).map(Some)
                }
            }
        }
    }
}
