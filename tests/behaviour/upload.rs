//! Uploads: one suite, run on PostgreSQL and on SQLite.
//!
//! The files that both backends list are compiled once for each, with the types and the server of that backend in `super`.
#![allow(
    clippy::duplicate_mod,
    reason = "the suite is the same text on every backend"
)]

mod cards;
mod device;
mod folders;
mod goods;
mod models;
mod on_postgres;
mod on_sqlite;
mod projects;
mod rooms;
mod tags;

use carburetor::outcome::{Code, Outcome, Outcomes, Verdict};
use device::{Device, changes};
use diesel::connection::SimpleConnection;

fn run(conn: &mut impl SimpleConnection, statements: &str) {
    conn.batch_execute(statements)
        .unwrap_or_else(|error| panic!("{error} in:\n{statements}"));
}

/// What became of each change, in a word.
fn verdicts(outcomes: &Outcomes) -> Vec<String> {
    outcomes.outcomes.iter().map(verdict).collect()
}

fn verdict(outcome: &Outcome) -> String {
    match &outcome.verdict {
        Verdict::Applied => "applied".into(),
        Verdict::Merged => "merged".into(),
        Verdict::Superseded => "superseded".into(),
        Verdict::Rejected(rejection) => serde_json::to_value(rejection.code)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned(),
        other => format!("{other:?}"),
    }
}

/// Why the change at `place` was rejected: the code and the field.
fn rejection(outcomes: &Outcomes, place: usize) -> (Code, Option<&str>) {
    match &outcomes.outcomes[place].verdict {
        Verdict::Rejected(rejection) => (rejection.code, rejection.field.as_deref()),
        other => panic!("not rejected but {other:?}"),
    }
}
