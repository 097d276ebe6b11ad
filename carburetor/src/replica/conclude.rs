//! The last word on a change: it waits no longer, and a rejection is kept for the program.

use super::error::ReplicaError;
use super::file::Store;
use super::overtaken;
use super::query::{self, BIND, Bind};
use super::rejected::keep_aside;
use super::relay;
use super::rest::{Rest, local};
use super::sending::Sending;
use crate::change::{Change, Edit};
use crate::outcome::{Code, Outcome, Rejection, Verdict};
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use std::ops::AddAssign;

/// What became of the changes of one upload that the program is to be told of.
#[derive(Default)]
pub(super) struct Told {
    pub(super) rejected: u64,
    pub(super) lost: u64,
    pub(super) met: u64,
    /// Rows that can't be shown.
    pub(super) unreadable: u64,
}

impl AddAssign for Told {
    fn add_assign(&mut self, more: Self) {
        self.rejected += more.rejected;
        self.lost += more.lost;
        self.met += more.met;
        self.unreadable += more.unreadable;
    }
}

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

/// Takes note of a final outcome, and says what the program is to be told of. A device of this hub
/// is told of its own.
pub(super) fn conclude(
    conn: &mut SqliteConnection,
    store: &Store,
    change: &Change,
    outcome: &Outcome,
) -> Result<Told, ReplicaError> {
    let mut told = Told::default();
    match &outcome.verdict {
        _ if relay::answer(conn, store, outcome, is_lost(change, outcome))? => {}
        Verdict::Rejected(_) if is_gone(change, outcome) => {}
        Verdict::Rejected(rejection) => {
            let rest = rest(conn, store, change)?;
            keep_aside(conn, &store.group, change, rejection, &rest)?;
            told.rejected = 1;
        }
        _ if is_lost(change, outcome) => {
            let rest = rest(conn, store, change)?;
            keep_aside(conn, &store.group, change, &gone(), &rest)?;
            told.lost = 1;
            tracing::warn!(
                table = change.table,
                id = %change.id,
                "an edit came to nothing: its row was deleted meanwhile, maybe along with another one"
            );
        }
        _ => overtaken::overtake(conn, store, change)?,
    }
    Ok(told)
}

/// What never travels of a row that goes with its insert.
fn rest(conn: &mut SqliteConnection, store: &Store, change: &Change) -> Result<Rest, ReplicaError> {
    let Some(table) = store.table(&change.table) else {
        return Ok(Rest::default());
    };
    if !matches!(change.edit, Edit::Insert(_)) {
        return Ok(Rest::default());
    }
    let id = table.admit_id(&change.id)?;
    let columns = local(conn, table)?;
    Ok(Rest::of_row(conn, table, &columns, &id)?)
}

/// Whether there is no row any more that a deletion could take away, for whoever sent it. Where a scope may hide rows, the server says no more than that.
fn is_gone(change: &Change, outcome: &Outcome) -> bool {
    let code = match &outcome.verdict {
        Verdict::Rejected(rejection) => rejection.code,
        _ => return false,
    };
    change.edit == Edit::Delete
        && !is_shown(outcome)
        && matches!(code, Code::Forbidden | Code::NotFound)
}

/// Whether nothing is left of an edit, because its row went meanwhile. A server of an earlier version says so by showing none.
fn is_lost(change: &Change, outcome: &Outcome) -> bool {
    outcome.verdict == Verdict::Superseded
        && (outcome.lost || !is_shown(outcome))
        && change.edit != Edit::Delete
}

fn is_shown(outcome: &Outcome) -> bool {
    outcome.row.is_some() || outcome.unreadable.is_some()
}

/// What the program may show to whoever made a lost edit.
fn gone() -> Rejection {
    Rejection::new(
        Code::Gone,
        "the row was deleted meanwhile, maybe along with another one: insert it anew if it is to live, and drop this",
    )
}

/// The outcome of a change that the server can't even read.
pub(super) fn unread(change: &Change, message: &str) -> Outcome {
    let rejection = Rejection::new(Code::Invalid, message);
    Outcome::new(change.clock, Verdict::Rejected(rejection))
}
