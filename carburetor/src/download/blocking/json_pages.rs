//! Pages as messages.

use super::cutoffs;
use crate::backend::SyncBackend;
use crate::connection::{SyncConnection, transact};
use crate::download::caller::Caller;
use crate::download::{DownloadError, Page, Pages};
use crate::group::{DownloadTables, assert_named_once};
use crate::wire::page::WritePage;

impl<T, S, DB> Pages<'_, T, S, DB>
where
    DB: SyncBackend,
    T: DownloadTables<DB, S>,
{
    /// The next page as a message, or `None` after the last one: all its tables as they were at one instant, in a transaction of its own.
    ///
    /// The message says by the member `more` whether another one is to be asked for with its token. Pages of several instants are followed by
    /// downloads from the last token, until one is complete in its first page: only that one says `"more":false`, and all that came before it are
    /// to be shown together with it.
    ///
    #[doc = include_str!("../../../docs/examples/pages_next_json.md")]
    ///
    /// # Errors
    ///
    /// As [`Scoped::download_json`](crate::Scoped::download_json); the same page can be asked for again.
    pub fn next_json<C>(&mut self, conn: &mut C) -> Result<Option<Page>, DownloadError>
    where
        C: SyncConnection<Backend = DB>,
    {
        const { assert_named_once(T::NAMES) };
        while !self.is_over()? {
            let mut text = self.size.text();
            let caller = Caller::of(conn)?;
            let one_instant = caller.one_instant::<DB>()?;
            if self.run.is_none() {
                let definitions = T::definitions();
                let cutoffs = cutoffs(
                    conn,
                    &definitions,
                    self.scoped.assumptions(),
                    caller != Caller::Outside,
                    &self.origin(),
                )?;
                self.begin(&definitions, &cutoffs)?;
            }
            let Some(run) = &mut self.run else {
                return Ok(None);
            };
            let read = transact(conn, |conn| {
                conn.batch_execute(one_instant)?;
                let text = &mut text;
                T::each(&mut run.tables, &mut WritePage { conn, text })
            });
            match read {
                Err(_) if self.size.shrinks(&text) => {}
                Err(error) => return Err(error),
                Ok(()) => return self.deliver(text),
            }
        }
        Ok(None)
    }
}
