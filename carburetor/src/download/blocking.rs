//! Downloads on a synchronous connection.

#[cfg(feature = "replica")]
mod check;
mod json_pages;

#[cfg(feature = "replica")]
pub(crate) use check::check;

use super::budget::Budget;
use super::caller::Caller;
use super::progress::Advance;
use super::run::Run;
use super::table::{Sink, TableDownload};
use super::{DownloadError, Pages, Response, Timestamps};
use crate::backend::SyncBackend;
use crate::connection::{SyncConnection, run, transact};
use crate::cutoff::{Assumptions, CutoffRows, Cutoffs};
use crate::group::{DownloadTables, Scoped, SyncGroup, assert_named_once};
use crate::origin::Origin;
use crate::scope::Everyone;
use crate::table::{TableDefinition, TableOn};
use crate::wire::message::{WriteTables, closing, opening};
use std::io::Write;

impl<T> SyncGroup<T> {
    /// Downloads each table by a statement of its own. See [`Scoped::download`].
    ///
    #[doc = include_str!("../../docs/examples/group_download.md")]
    pub fn download<C>(
        conn: &mut C,
        timestamps: impl Into<Timestamps<Self>>,
    ) -> Result<Response<T>, DownloadError>
    where
        C: SyncConnection,
        T: DownloadTables<C::Backend, Everyone>,
    {
        Self::scoped(&Everyone).download(conn, timestamps)
    }

    /// Downloads all tables as they were at one instant. See [`Scoped::download_consistent`].
    ///
    #[doc = include_str!("../../docs/examples/group_download_consistent.md")]
    pub fn download_consistent<C>(
        conn: &mut C,
        timestamps: impl Into<Timestamps<Self>>,
    ) -> Result<Response<T>, DownloadError>
    where
        C: SyncConnection,
        T: DownloadTables<C::Backend, Everyone>,
    {
        Self::scoped(&Everyone).download_consistent(conn, timestamps)
    }

    /// Writes a download as JSON. See [`Scoped::download_json`].
    ///
    #[doc = include_str!("../../docs/examples/group_download_json.md")]
    pub fn download_json<C>(
        conn: &mut C,
        timestamps: impl Into<Timestamps<Self>>,
        writer: &mut impl Write,
    ) -> Result<(), DownloadError>
    where
        C: SyncConnection,
        T: DownloadTables<C::Backend, Everyone>,
    {
        Self::scoped(&Everyone).download_json(conn, timestamps, writer)
    }
}

impl<'s, T, S> Scoped<'s, T, S> {
    /// Downloads each table by a statement of its own: rows and removals of one table are of one instant, those of two tables need not be.
    ///
    #[doc = include_str!("../../docs/examples/scoped_download.md")]
    ///
    /// # Errors
    ///
    /// A failed query, a scope that can't be used, or circumstances in which rows could be missed: [`DownloadError`] says which and what to do.
    pub fn download<C>(
        &self,
        conn: &mut C,
        timestamps: impl Into<Timestamps<SyncGroup<T, S>>>,
    ) -> Result<Response<T>, DownloadError>
    where
        C: SyncConnection,
        T: DownloadTables<C::Backend, S>,
    {
        let (timestamps, definitions) = (timestamps.into(), T::definitions());
        let inside = judge(conn)?;
        let known = timestamps.origin();
        let cutoffs = cutoffs(conn, &definitions, self.assumptions(), inside, &known)?;
        let run = Run::new(self, &timestamps, &definitions, &cutoffs, None)?;
        everything(conn, run)
    }

    /// Downloads all tables as they were at one instant, in a transaction of its own.
    ///
    #[doc = include_str!("../../docs/examples/scoped_download_consistent.md")]
    ///
    /// # Errors
    ///
    /// As [`download`](Self::download); and inside a transaction of the caller.
    pub fn download_consistent<C>(
        &self,
        conn: &mut C,
        timestamps: impl Into<Timestamps<SyncGroup<T, S>>>,
    ) -> Result<Response<T>, DownloadError>
    where
        C: SyncConnection,
        T: DownloadTables<C::Backend, S>,
    {
        let (timestamps, definitions) = (timestamps.into(), T::definitions());
        let (assumptions, known) = (self.assumptions(), timestamps.origin());
        consistently(conn, &definitions, assumptions, &known, |conn, cutoffs| {
            everything(
                conn,
                Run::new(self, &timestamps, &definitions, cutoffs, None)?,
            )
        })
    }

    /// Writes a download of all tables at one instant as JSON, row by row: memory does not grow with the result.
    ///
    #[doc = include_str!("../../docs/examples/scoped_download_json.md")]
    ///
    /// # Errors
    ///
    /// As [`download_consistent`](Self::download_consistent), and when the writer fails. What was written up to then is to be thrown away.
    pub fn download_json<C>(
        &self,
        conn: &mut C,
        timestamps: impl Into<Timestamps<SyncGroup<T, S>>>,
        writer: &mut impl Write,
    ) -> Result<(), DownloadError>
    where
        C: SyncConnection,
        T: DownloadTables<C::Backend, S>,
    {
        const { assert_named_once(T::NAMES) };
        let (timestamps, definitions) = (timestamps.into(), T::definitions());
        let (assumptions, known) = (self.assumptions(), timestamps.origin());
        consistently(conn, &definitions, assumptions, &known, |conn, cutoffs| {
            let mut run: Run<'_, T, S, C::Backend> =
                Run::new(self, &timestamps, &definitions, cutoffs, None)?;
            let mut message = WriteTables {
                conn,
                buffer: Vec::new(),
                writer,
                any: false,
            };
            opening(&mut message.buffer);
            T::each(&mut run.tables, &mut message)?;
            read_ahead(message.conn, &mut run)?;
            run.keep()?;
            closing(run.clock()?, &run.token()?, &mut message.buffer)?;
            Ok(message.writer.write_all(&message.buffer)?)
        })
    }
}

impl<'s, T, S, DB> Pages<'s, T, S, DB>
where
    DB: SyncBackend,
    T: DownloadTables<DB, S>,
{
    /// The next page, or `None` after the last one. Each page may be read on another connection to the same server.
    ///
    #[doc = include_str!("../../docs/examples/pages_next.md")]
    ///
    /// # Errors
    ///
    /// As [`Scoped::download`], each page within the transaction that it is asked for in; the same page can be asked for again.
    pub fn next<C>(&mut self, conn: &mut C) -> Result<Option<Response<T>>, DownloadError>
    where
        C: SyncConnection<Backend = DB>,
    {
        let inside = judge(conn)?;
        if self.run.is_none() {
            let definitions = T::definitions();
            let known = self.origin();
            let assumptions = self.scoped.assumptions();
            let cutoffs = cutoffs(conn, &definitions, assumptions, inside, &known)?;
            self.begin(&definitions, &cutoffs)?;
        }
        let limit = self.limit;
        match self.run.as_mut().filter(|run| !run.is_finished()) {
            None => Ok(None),
            Some(run) => {
                run.rewind()?;
                run.judge(inside)?;
                let news = T::read(conn, &mut run.tables, &mut Budget::of(limit))?;
                run.response(news).map(Some)
            }
        }
    }
}

fn everything<T, S, C>(
    conn: &mut C,
    mut run: Run<'_, T, S, C::Backend>,
) -> Result<Response<T>, DownloadError>
where
    C: SyncConnection,
    T: DownloadTables<C::Backend, S>,
{
    let news = T::read(conn, &mut run.tables, &mut Budget::unlimited())?;
    read_ahead(conn, &mut run)?;
    run.response(news)
}

/// Reads the cutoffs, then runs `read` in a transaction that sees one instant.
fn consistently<C, R>(
    conn: &mut C,
    definitions: &[&'static TableDefinition],
    assumptions: &Assumptions,
    known: &Origin,
    read: impl FnOnce(&mut C, &Cutoffs) -> Result<R, DownloadError>,
) -> Result<R, DownloadError>
where
    C: SyncConnection,
{
    let caller = Caller::of(conn)?;
    let one_instant = caller.one_instant::<C::Backend>()?;
    let inside = caller != Caller::Outside;
    let cutoffs = cutoffs(conn, definitions, assumptions, inside, known)?;
    transact(conn, |conn| {
        conn.batch_execute(one_instant)?;
        read(conn, &cutoffs)
    })
}

/// Fails where the caller's transaction could make a download untrue, and no statement sees it.
///
/// Returns whether there is one.
fn judge<C: SyncConnection>(conn: &mut C) -> Result<bool, DownloadError> {
    if !C::Backend::JUDGES_TRANSACTIONS {
        Caller::of(conn)?.judge::<C::Backend>()?;
    }
    Ok(Caller::is_inside(conn)?)
}

/// The cutoffs of the tables, read before anything else.
fn cutoffs<C: SyncConnection>(
    conn: &mut C,
    definitions: &[&'static TableDefinition],
    assumptions: &Assumptions,
    inside: bool,
    known: &Origin,
) -> Result<Cutoffs, DownloadError> {
    let mut taken = CutoffRows::new(definitions, known);
    for statement in C::Backend::cutoff(definitions, assumptions, inside, known) {
        run(conn, statement, &mut taken)?;
    }
    taken.finish()
}

/// Reads what no header has said.
fn read_ahead<T, S, C>(
    conn: &mut C,
    download: &mut Run<'_, T, S, C::Backend>,
) -> Result<(), DownloadError>
where
    C: SyncConnection,
    T: DownloadTables<C::Backend, S>,
{
    match download.ahead()? {
        Some((statement, ahead)) => run(conn, statement, ahead),
        None => Ok(()),
    }
}

/// Reads one table, or its next page, into `sink`.
pub(crate) fn read<M, C, K>(
    conn: &mut C,
    table: &mut TableDownload<'_, M, C::Backend>,
    sink: &mut K,
) -> Result<(), DownloadError>
where
    C: SyncConnection,
    M: TableOn<C::Backend>,
    K: Sink<M, C::Backend>,
{
    let mut advance = Advance::Again;
    while advance == Advance::Again && !table.is_finished() {
        let (statement, mut reader) = table.next(sink)?;
        run(conn, statement, &mut reader)?;
        advance = reader.finish()?;
    }
    Ok(())
}
