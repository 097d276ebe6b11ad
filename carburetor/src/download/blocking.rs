//! Downloads on a synchronous connection.

use super::table::{Advance, Sink, TableDownload};
use super::{DownloadError, Response, Timestamps, requests};
use crate::backend::SyncBackend;
use crate::connection::{SyncConnection, run};
use crate::cutoff::{Assumptions, CutoffRows, Cutoffs};
use crate::group::DownloadTables;
use crate::table::{TableDefinition, TableOn};
use crate::token::Token;
use diesel::connection::{TransactionManager, TransactionManagerStatus};

/// Cutoff first, then each table on its own.
pub(crate) fn download<G, T, S, C>(
    conn: &mut C,
    scope: &S,
    timestamps: &Timestamps<G>,
    assumptions: &Assumptions,
) -> Result<Response<T>, DownloadError>
where
    C: SyncConnection,
    T: DownloadTables<C::Backend, S>,
{
    let definitions = T::definitions();
    let cutoffs = cutoffs(conn, &definitions, assumptions)?;
    rows(conn, scope, timestamps, &definitions, &cutoffs)
}

/// Cutoff first, then all tables at one instant.
pub(crate) fn download_consistent<G, T, S, C>(
    conn: &mut C,
    scope: &S,
    timestamps: &Timestamps<G>,
    assumptions: &Assumptions,
) -> Result<Response<T>, DownloadError>
where
    C: SyncConnection,
    T: DownloadTables<C::Backend, S>,
{
    let definitions = T::definitions();
    let read =
        |conn: &mut C, cutoffs: &Cutoffs| rows(conn, scope, timestamps, &definitions, cutoffs);
    consistently(conn, &definitions, assumptions, read)
}

/// Reads the cutoffs, then runs `read` in a transaction that sees one instant.
pub(crate) fn consistently<C, R>(
    conn: &mut C,
    definitions: &[&'static TableDefinition],
    assumptions: &Assumptions,
    read: impl FnOnce(&mut C, &Cutoffs) -> Result<R, DownloadError>,
) -> Result<R, DownloadError>
where
    C: SyncConnection,
{
    if depth(conn)? {
        return Err(DownloadError::Snapshot);
    }
    let cutoffs = cutoffs(conn, definitions, assumptions)?;
    conn.transaction(|conn| {
        conn.batch_execute(C::Backend::ONE_INSTANT)?;
        read(conn, &cutoffs)
    })
}

/// The cutoffs of the tables, read before anything else.
pub(crate) fn cutoffs<C: SyncConnection>(
    conn: &mut C,
    definitions: &[&'static TableDefinition],
    assumptions: &Assumptions,
) -> Result<Cutoffs, DownloadError> {
    let mut taken = CutoffRows::new(definitions);
    for statement in C::Backend::cutoff(definitions, assumptions) {
        run(conn, statement, &mut taken)?;
    }
    taken.finish()
}

fn rows<G, T, S, C>(
    conn: &mut C,
    scope: &S,
    timestamps: &Timestamps<G>,
    definitions: &[&'static TableDefinition],
    cutoffs: &Cutoffs,
) -> Result<Response<T>, DownloadError>
where
    C: SyncConnection,
    T: DownloadTables<C::Backend, S>,
{
    let requests = requests(timestamps, definitions, cutoffs.timeline.as_deref());
    let mut tables = T::begin(scope, requests, cutoffs, None)?;
    let news = T::read(conn, &mut tables)?;
    let next = Token {
        timeline: cutoffs
            .timeline
            .clone()
            .or(timestamps.timeline().map(Into::into)),
        tables: T::states(&tables)?,
    };
    Ok(Response::new(news, next))
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

/// Whether the caller has a transaction open on `conn`.
fn depth<C: SyncConnection>(conn: &mut C) -> Result<bool, DownloadError> {
    let status = C::TransactionManager::transaction_manager_status_mut(conn);
    match status {
        TransactionManagerStatus::Valid(status) => Ok(status.transaction_depth().is_some()),
        TransactionManagerStatus::InError => {
            Err(diesel::result::Error::BrokenTransactionManager.into())
        }
    }
}
