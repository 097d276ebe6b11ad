//! The last word on a change: it waits no longer, and a rejection is kept for the program.

use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, BIND, Bind};
use super::rejected::keep_aside;
use super::relay;
use super::sending::Sending;
use crate::change::{Change, Edit};
use crate::outcome::{Code, Outcome, Rejection, Verdict};
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;

/// Takes the change out of the table in which it waits; `false` if another sync has done so, or given it another clock, meanwhile.
pub(super) fn forget(
    conn: &mut SqliteConnection,
    table: &str,
    sending: &Sending,
) -> QueryResult<bool> {
    let forget = format!("delete from {table} where seq = {BIND} and clock = {BIND}");
    let binds = [
        Bind::integer(sending.seq),
        Bind::text(sending.clock.to_string()),
    ];
    Ok(query::execute(conn, &forget, binds)? > 0)
}

/// Takes note of a final outcome; `true` if the program is to be told of a rejection. A device of this hub is told of its own.
pub(super) fn conclude(
    conn: &mut SqliteConnection,
    store: &Store,
    change: &Change,
    outcome: &Outcome,
) -> Result<bool, ReplicaError> {
    match &outcome.verdict {
        _ if relay::answer(conn, store, outcome)? => Ok(false),
        Verdict::Rejected(_) if is_gone(change, outcome) => Ok(false),
        Verdict::Rejected(rejection) => {
            keep_aside(conn, &store.group, change, rejection)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Whether there is no row any more that a deletion could take away, for whoever sent it. Where a scope may hide rows, the server says no more than that.
fn is_gone(change: &Change, outcome: &Outcome) -> bool {
    let is_shown = outcome.row.is_some() || outcome.unreadable.is_some();
    let code = match &outcome.verdict {
        Verdict::Rejected(rejection) => rejection.code,
        _ => return false,
    };
    change.edit == Edit::Delete && !is_shown && matches!(code, Code::Forbidden | Code::NotFound)
}

/// The outcome of a change that the server can't even read.
pub(super) fn unread(change: &Change, message: &str) -> Outcome {
    Outcome {
        clock: change.clock,
        verdict: Verdict::Rejected(Rejection {
            code: Code::Invalid,
            message: message.to_owned(),
            field: None,
        }),
        stamp: None,
        row: None,
        met: None,
        unreadable: None,
    }
}
