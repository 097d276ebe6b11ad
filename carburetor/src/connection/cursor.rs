//! Rows of one statement by portions, through a cursor in the transaction that is open.

use super::blocking::take;
use super::{Flow, SyncConnection, TakeRows};
use crate::statement::Statement;

/// About how many bytes are made of the rows of one portion.
const PORTION: u64 = 1 << 20;

/// How many rows come first, while nothing is known of their size, and how many at most.
const FIRST: u64 = 100;
const MOST: u64 = 10_000;

/// Opens a cursor for `statement`, fetches until it ends, and closes it.
///
/// The whole result is wanted, so the plan is the one for the whole result.
pub(super) fn run<C, T>(
    conn: &mut C,
    statement: Statement<'_, C::Backend>,
    rows: &mut T,
) -> Result<(), T::Error>
where
    C: SyncConnection,
    T: TakeRows<C::Backend>,
{
    conn.batch_execute("set local cursor_tuple_fraction = 1")?;
    conn.execute_returning_count(
        &statement.after("declare carburetor_rows no scroll cursor for "),
    )?;
    let (mut wanted, mut fetched) = (FIRST, 0);
    loop {
        let fetch = Statement::of(format!("fetch {wanted} from carburetor_rows")).uncached();
        let (came, flow) = take(conn, fetch, rows)?;
        fetched += came;
        if came < wanted || flow == Flow::Stop {
            break;
        }
        let each = rows.passed_on().unwrap_or(0) / fetched;
        wanted = (PORTION / each.max(1)).clamp(1, MOST);
    }
    Ok(conn.batch_execute("close carburetor_rows")?)
}
