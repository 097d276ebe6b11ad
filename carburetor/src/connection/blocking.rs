//! Statements on a synchronous connection.

use super::{Flow, TakeRows};
use crate::backend::SyncBackend;
use crate::statement::Statement;
use diesel::QueryResult;
use diesel::connection::{Connection, DefaultLoadingMode, LoadConnection};
use diesel::row::Row;

/// A synchronous Diesel connection to PostgreSQL or SQLite, or one that a pool lends.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// fn takes_a_connection<C: carburetor::SyncConnection>(_: &mut C) {}
/// use diesel::Connection;
/// takes_a_connection(&mut diesel::SqliteConnection::establish(":memory:")?);
/// # }
/// # Ok::<(), diesel::ConnectionError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connection that carburetor can use",
    note = "pass `&mut PgConnection` (feature `postgres`) or `&mut SqliteConnection` (feature `sqlite`), or what a pool of them lends; for diesel-async use the functions whose names end in `_async`"
)]
pub trait SyncConnection:
    Connection<Backend: SyncBackend>
    + LoadConnection
    + LoadConnection<<<Self as Connection>::Backend as SyncBackend>::Loading>
{
}

impl<C> SyncConnection for C
where
    C: Connection + LoadConnection,
    C::Backend: SyncBackend,
    C: LoadConnection<<<C as Connection>::Backend as SyncBackend>::Loading>,
{
}

/// Runs `statement` and hands its rows over one by one.
pub(crate) fn run<C, T>(
    conn: &mut C,
    statement: Statement<'_, C::Backend>,
    rows: &mut T,
) -> Result<(), T::Error>
where
    C: SyncConnection,
    T: TakeRows<C::Backend>,
{
    if T::PASSES_ON {
        type Loading<C> = <<C as Connection>::Backend as SyncBackend>::Loading;
        take(LoadConnection::<Loading<C>>::load(conn, statement)?, rows)
    } else {
        take(
            LoadConnection::<DefaultLoadingMode>::load(conn, statement)?,
            rows,
        )
    }
}

fn take<'r, DB, R, T>(
    found: impl Iterator<Item = QueryResult<R>>,
    rows: &mut T,
) -> Result<(), T::Error>
where
    DB: SyncBackend,
    R: Row<'r, DB>,
    T: TakeRows<DB>,
{
    for row in found {
        if rows.take(&row?)? == Flow::Stop {
            break;
        }
    }
    Ok(())
}
