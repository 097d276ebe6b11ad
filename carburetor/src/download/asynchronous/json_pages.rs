//! Pages as messages on an asynchronous connection. The twin in `blocking` says what each does.

use super::{begin_at, begin_consistently, end};
use crate::backend::SyncBackend;
use crate::connection::SyncConnectionAsync;
use crate::connection::runner::Awaiting;
use crate::download::caller::Caller;
use crate::download::{DownloadError, Page, Pages};
use crate::group::{DownloadTablesAsync, assert_named_once};
use crate::wire::page::{PageText, WritePageAsync};

impl<T, S, DB> Pages<'_, T, S, DB>
where
    DB: SyncBackend,
    S: Sync,
    T: DownloadTablesAsync<DB, S>,
{
    /// The next page as a message, or `None` after the last one. See [`next_json`](Self::next_json).
    ///
    #[doc = include_str!("../../../docs/examples/pages_next_json_async.md")]
    ///
    /// # Errors
    ///
    /// As [`next_json`](Self::next_json); the same page can be asked for again.
    #[allow(
        clippy::manual_async_fn,
        reason = "an `async fn` is not known to be `Send` for every lifetime"
    )]
    pub fn next_json_async<C>(
        &mut self,
        conn: &mut C,
    ) -> impl Future<Output = Result<Option<Page>, DownloadError>> + Send
    where
        C: SyncConnectionAsync<Database = DB>,
    {
        const { assert_named_once(T::NAMES) };
        async move {
            while !self.is_over()? {
                let mut text = self.size.text();
                let mut transaction = Awaiting::on(conn);
                if self.run.is_none() {
                    let (definitions, known) = (T::definitions(), self.origin());
                    let (assumptions, time) = (self.scoped.assumptions(), self.time);
                    let begun = begin_consistently(
                        &mut transaction,
                        &definitions,
                        assumptions,
                        &known,
                        time,
                    );
                    let cutoffs = begun.await?;
                    let begun = self.begin(&definitions, &cutoffs);
                    super::end_on_error(&mut transaction, begun).await?;
                } else {
                    let caller = Caller::of_async(transaction.conn()).await?;
                    begin_at(&mut transaction, caller.one_instant::<DB>()?, self.time).await?;
                }
                let read = self.write_async(transaction.conn(), &mut text).await;
                match end(transaction, read).await {
                    Err(_) if self.size.shrinks(&text) => {}
                    Err(error) => return Err(error),
                    Ok(()) => return self.deliver(text),
                }
            }
            Ok(None)
        }
    }

    async fn write_async<C>(
        &mut self,
        conn: &mut C,
        text: &mut PageText,
    ) -> Result<(), DownloadError>
    where
        C: SyncConnectionAsync<Database = DB>,
    {
        let Some(run) = &mut self.run else {
            return Ok(());
        };
        let conn = conn.share();
        let mut page = WritePageAsync { conn: &conn, text };
        T::each_async(&mut run.tables, &mut page).await
    }
}
