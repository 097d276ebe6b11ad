//! Downloads: one suite, run on PostgreSQL and on SQLite.
//!
//! The files that both backends list are compiled once for each, with the types and the server of that backend in `super`.
#![allow(
    clippy::duplicate_mod,
    reason = "the suite is the same text on every backend"
)]

mod backwards;
mod models;
mod on_postgres;
mod on_sqlite;
mod postgres;
mod token_text;

use carburetor::{Assumptions, SyncGroup, SyncTable, TableNews};
use diesel::connection::SimpleConnection;
use models::{Game, Note, Order, Seat, Task, User};

/// Every table of the suite.
type Everything = SyncGroup<(User, Game, Note, Task, Seat, Order)>;

type Mobile = SyncGroup<(User, Game)>;

/// A clock that never steps back, as on this machine while the tests run.
fn steady() -> Assumptions {
    Assumptions {
        slack: std::time::Duration::ZERO,
        ..Assumptions::default()
    }
}

fn run(conn: &mut impl SimpleConnection, statements: &str) {
    conn.batch_execute(statements)
        .unwrap_or_else(|error| panic!("{error} in:\n{statements}"));
}

/// The ids of the rows, sorted.
fn ids<M: SyncTable<Id: Ord>>(news: &TableNews<M>) -> Vec<M::Id> {
    let mut ids: Vec<M::Id> = news.rows.iter().map(SyncTable::id).collect();
    ids.sort();
    ids
}

/// The ids of the removals, sorted, each once.
fn removed<M: SyncTable<Id: Ord>>(news: &TableNews<M>) -> Vec<M::Id> {
    let mut ids = news.removed.clone();
    ids.sort();
    ids.dedup();
    ids
}
