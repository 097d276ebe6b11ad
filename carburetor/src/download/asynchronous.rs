//! Downloads on an asynchronous connection. The twins in `blocking` say what each does.

#[cfg(feature = "axum")]
mod changed;
#[cfg(feature = "axum")]
mod check;
mod everyone;
mod json_pages;
mod pace;
mod pages;

#[cfg(feature = "axum")]
pub(crate) use check::check;

#[cfg(feature = "axum")]
pub(crate) use changed::{Changed, ChangedRow, Watched, changed};
pub(crate) use pace::PacedSink;

use super::caller::Caller;
use super::progress::Advance;
use super::run::Run;
use super::table::TableDownload;
use super::{DownloadError, Response, Timestamps};
use crate::backend::SyncBackend;
use crate::connection::runner::{Awaiting, Runner};
use crate::connection::{SharedConnection, SyncConnectionAsync};
use crate::cutoff::{Assumptions, CutoffRows, Cutoffs};
use crate::group::{DownloadTablesAsync, Scoped, SyncGroup, assert_named_once};
use crate::origin::{Origin, Standing};
use crate::table::{TableDefinition, TableOn};
use crate::wire::message::{closing, opening};
use crate::wire::stream::WriteTablesAsync;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};

impl<T, S: Sync> Scoped<'_, T, S> {
    /// Downloads each table by a statement of its own: rows and removals of one table are of one instant, those of two tables need not be.
    ///
    /// On PostgreSQL the cutoff and all tables travel in one round trip once the statements are prepared.
    ///
    #[doc = include_str!("../../docs/examples/scoped_download_async.md")]
    ///
    /// # Errors
    ///
    /// A failed query, a scope that can't be used, or circumstances in which rows could be missed: [`DownloadError`] says which and what to do.
    pub fn download_async<C>(
        &self,
        conn: &mut C,
        timestamps: impl Into<Timestamps<SyncGroup<T, S>>>,
    ) -> impl Future<Output = Result<Response<T>, DownloadError>> + Send
    where
        C: SyncConnectionAsync,
        T: DownloadTablesAsync<C::Database, S>,
    {
        let timestamps = timestamps.into();
        async move {
            let definitions = T::definitions();
            let inside = judge(conn).await?;
            let conn = conn.share();
            let tracked = definitions.iter().all(|definition| !definition.untracked);
            if C::PIPELINED
                && tracked
                && !timestamps.are_dated()
                && let Some(response) = self
                    .at_once(&conn, &timestamps, &definitions, inside)
                    .await?
            {
                return Ok(response);
            }
            let known = timestamps.origin();
            let cutoffs = cutoffs(&conn, &definitions, self.assumptions(), inside, &known).await?;
            let run = Run::new(self, &timestamps, &definitions, &cutoffs, None)?;
            everything(&conn, run).await
        }
    }

    /// Downloads all tables as they were at one instant, in a transaction of its own.
    ///
    #[doc = include_str!("../../docs/examples/scoped_download_consistent_async.md")]
    ///
    /// # Errors
    ///
    /// As [`download_async`](Self::download_async); and inside a transaction of the caller.
    pub fn download_consistent_async<C>(
        &self,
        conn: &mut C,
        timestamps: impl Into<Timestamps<SyncGroup<T, S>>>,
    ) -> impl Future<Output = Result<Response<T>, DownloadError>> + Send
    where
        C: SyncConnectionAsync,
        T: DownloadTablesAsync<C::Database, S>,
    {
        let timestamps = timestamps.into();
        async move {
            let definitions = T::definitions();
            let known = timestamps.origin();
            let mut transaction = Awaiting::on(conn);
            let assumptions = self.assumptions();
            let begun =
                begin_consistently(&mut transaction, &definitions, assumptions, &known, None);
            let cutoffs = begun.await?;
            let news = async {
                let run = Run::new(self, &timestamps, &definitions, &cutoffs, None)?;
                everything(&transaction.conn().share(), run).await
            };
            let news = news.await;
            end(transaction, news).await
        }
    }

    /// Writes a download of all tables at one instant as JSON, row by row.
    ///
    /// On PostgreSQL memory does not grow with the result; diesel-async's wrapper of SQLite holds the rows of one table.
    ///
    #[doc = include_str!("../../docs/examples/scoped_download_json_async.md")]
    ///
    /// # Errors
    ///
    /// As [`download_consistent_async`](Self::download_consistent_async), and when the writer fails. What was written up to then is to be thrown away.
    pub fn download_json_async<C, W>(
        &self,
        conn: &mut C,
        timestamps: impl Into<Timestamps<SyncGroup<T, S>>>,
        writer: &mut W,
    ) -> impl Future<Output = Result<(), DownloadError>> + Send
    where
        C: SyncConnectionAsync,
        T: DownloadTablesAsync<C::Database, S>,
        W: AsyncWrite + Unpin + Send,
    {
        const { assert_named_once(T::NAMES) };
        let timestamps = timestamps.into();
        async move {
            let definitions = T::definitions();
            let known = timestamps.origin();
            let mut transaction = Awaiting::on(conn);
            let assumptions = self.assumptions();
            let begun =
                begin_consistently(&mut transaction, &definitions, assumptions, &known, None);
            let cutoffs = begun.await?;
            let written = async {
                let mut run: Run<'_, T, S, C::Database> =
                    Run::new(self, &timestamps, &definitions, &cutoffs, None)?;
                let conn = transaction.conn().share();
                let mut message = WriteTablesAsync {
                    conn: &conn,
                    buffer: Vec::new(),
                    writer,
                    any: false,
                };
                opening(&mut message.buffer);
                T::each_async(&mut run.tables, &mut message).await?;
                read_ahead(&conn, &mut run).await?;
                run.keep()?;
                closing(run.clock()?, &run.token()?, &mut message.buffer)?;
                Ok(message.writer.write_all(&message.buffer).await?)
            };
            let written = written.await;
            end(transaction, written).await
        }
    }

    /// Cutoff and tables in one burst: the cutoff is sent first, and the server runs what is sent in order. The timestamps are assumed to fit;
    /// `None` if the cutoff says that they don't.
    async fn at_once<X, DB>(
        &self,
        conn: &X,
        timestamps: &Timestamps<SyncGroup<T, S>>,
        definitions: &[&'static TableDefinition],
        inside: bool,
    ) -> Result<Option<Response<T>>, DownloadError>
    where
        DB: SyncBackend,
        X: SharedConnection<DB>,
        T: DownloadTablesAsync<DB, S>,
    {
        let assumed = Cutoffs::assumed(timestamps.generations(definitions), timestamps.origin());
        let mut run: Run<'_, T, S, DB> = Run::new(self, timestamps, definitions, &assumed, None)?;
        let known = timestamps.origin();
        let (cutoffs, mut news) = futures_util::try_join!(
            cutoffs(conn, definitions, self.assumptions(), inside, &known),
            T::read_together(conn, &mut run.tables)
        )?;
        let is_same = cutoffs.standing == Standing::Same;
        if !T::confirm(&mut run.tables, &mut news, &cutoffs) || !is_same {
            return Ok(None);
        }
        read_ahead(conn, &mut run).await?;
        run.follow(&cutoffs);
        run.response(news).map(Some)
    }
}

async fn everything<T, S, DB, X>(
    conn: &X,
    mut run: Run<'_, T, S, DB>,
) -> Result<Response<T>, DownloadError>
where
    S: Sync,
    DB: SyncBackend,
    X: SharedConnection<DB>,
    T: DownloadTablesAsync<DB, S>,
{
    let news = T::read_together(conn, &mut run.tables).await?;
    read_ahead(conn, &mut run).await?;
    run.response(news)
}

/// Fails where the caller's transaction could make a download untrue, and no statement sees it.
///
/// Returns whether there is one.
async fn judge<C: SyncConnectionAsync>(conn: &mut C) -> Result<bool, DownloadError> {
    if !C::Database::JUDGES_TRANSACTIONS {
        Caller::of_async(conn).await?.judge::<C::Database>()?;
    }
    Ok(Caller::is_inside_async(conn)?)
}

/// Reads the cutoffs, then begins a transaction that sees one instant; each of its statements may take so long.
async fn begin_consistently<C>(
    transaction: &mut Awaiting<'_, C>,
    definitions: &[&'static TableDefinition],
    assumptions: &Assumptions,
    known: &Origin,
    time: Option<Duration>,
) -> Result<Cutoffs, DownloadError>
where
    C: SyncConnectionAsync,
{
    let conn = transaction.conn();
    let caller = Caller::of_async(conn).await?;
    let one_instant = caller.one_instant::<C::Database>()?;
    let inside = caller != Caller::Outside;
    let cutoffs = cutoffs(&conn.share(), definitions, assumptions, inside, known).await?;
    begin_at(transaction, one_instant, time).await?;
    Ok(cutoffs)
}

/// Begins a transaction that sees `one_instant`.
async fn begin_at<C: SyncConnectionAsync>(
    transaction: &mut Awaiting<'_, C>,
    one_instant: &str,
    time: Option<Duration>,
) -> Result<(), DownloadError> {
    transaction.begin().await?;
    let begun = match time.and_then(C::Database::limit_statements) {
        Some(limit) => {
            transaction
                .execute(&format!("{one_instant}; {limit}"))
                .await
        }
        None => transaction.execute(one_instant).await,
    };
    end_on_error(transaction, begun.map_err(Into::into)).await
}

/// Ends the transaction that [`begin_consistently`] began.
async fn end<C, R>(
    mut transaction: Awaiting<'_, C>,
    result: Result<R, DownloadError>,
) -> Result<R, DownloadError>
where
    C: SyncConnectionAsync,
{
    let value = end_on_error(&mut transaction, result).await?;
    transaction.commit().await?;
    Ok(value)
}

async fn end_on_error<C, R>(
    transaction: &mut Awaiting<'_, C>,
    result: Result<R, DownloadError>,
) -> Result<R, DownloadError>
where
    C: SyncConnectionAsync,
{
    if result.is_err() {
        // A rollback that fails too leaves the connection broken, which Diesel remembers; the first error is the one to tell.
        let _ = transaction.rollback().await;
    }
    result
}

/// The cutoffs of the tables, read before anything else.
async fn cutoffs<X, DB>(
    conn: &X,
    definitions: &[&'static TableDefinition],
    assumptions: &Assumptions,
    inside: bool,
    known: &Origin,
) -> Result<Cutoffs, DownloadError>
where
    DB: SyncBackend,
    X: SharedConnection<DB>,
{
    let mut taken = CutoffRows::new(definitions, known);
    for statement in DB::cutoff(definitions, assumptions, inside, known) {
        conn.run(statement, &mut taken).await?;
    }
    taken.finish()
}

/// Reads what no header has said.
async fn read_ahead<T, S, DB, X>(
    conn: &X,
    download: &mut Run<'_, T, S, DB>,
) -> Result<(), DownloadError>
where
    S: Sync,
    DB: SyncBackend,
    X: SharedConnection<DB>,
    T: DownloadTablesAsync<DB, S>,
{
    match download.ahead()? {
        Some((statement, ahead)) => conn.run(statement, ahead).await,
        None => Ok(()),
    }
}

/// Reads one table, or its next page, into `sink`.
pub(crate) async fn read<M, DB, X, K>(
    conn: &X,
    table: &mut TableDownload<'_, M, DB>,
    sink: &mut K,
) -> Result<(), DownloadError>
where
    M: TableOn<DB>,
    DB: SyncBackend,
    X: SharedConnection<DB>,
    K: PacedSink<M, DB>,
{
    let mut advance = Advance::Again;
    while advance == Advance::Again && !table.is_finished() {
        let (statement, mut reader) = table.next(sink)?;
        conn.run(statement, &mut reader).await?;
        advance = reader.finish()?;
    }
    Ok(())
}
