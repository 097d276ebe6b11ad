//! Statements on a synchronous connection.

use super::{Flow, TakeRows, cursor};
use crate::backend::SyncBackend;
use crate::statement::Statement;
use diesel::connection::{Connection, LoadConnection};

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
pub trait SyncConnection: Connection<Backend: SyncBackend> + LoadConnection {}

impl<C> SyncConnection for C
where
    C: Connection + LoadConnection,
    C::Backend: SyncBackend,
{
}

/// Runs `statement` and hands its rows over one by one.
///
/// libpq holds all rows of an answer, so rows of which nothing is kept are fetched by portions.
pub(crate) fn run<C, T>(
    conn: &mut C,
    statement: Statement<'_, C::Backend>,
    rows: &mut T,
) -> Result<(), T::Error>
where
    C: SyncConnection,
    T: TakeRows<C::Backend>,
{
    if C::Backend::HOLDS_ANSWERS && rows.passed_on().is_some() {
        cursor::run(conn, statement, rows)
    } else {
        take(conn, statement, rows).map(|_| ())
    }
}

/// Runs `statement` at once; returns how many rows came and whether more are wanted.
pub(super) fn take<C, T>(
    conn: &mut C,
    statement: Statement<'_, C::Backend>,
    rows: &mut T,
) -> Result<(u64, Flow), T::Error>
where
    C: SyncConnection,
    T: TakeRows<C::Backend>,
{
    let mut count = 0;
    for row in conn.load(statement)? {
        count += 1;
        if rows.take(&row?)? == Flow::Stop {
            return Ok((count, Flow::Stop));
        }
    }
    Ok((count, Flow::Next))
}
