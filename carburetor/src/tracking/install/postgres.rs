//! Installing on PostgreSQL: one table at a time, each under a timeout for its lock, then the indexes beside the writers.

mod index;
mod part;

use super::transaction::in_transaction;
use crate::connection::SyncConnection;
use crate::table::TableDefinition;
use crate::tracking::answer::ask;
use crate::tracking::postgres::{Index, Up, difference, up};
use crate::tracking::{Tracking, TrackingError};
use diesel::pg::Pg;
use index::Step;
use part::{OUTCOME, Outcome, attempt};

/// How often a part is tried.
const ATTEMPTS: usize = 5;

/// Lets others go on between two attempts: half a second to two. The server waits, so that the library needs no timer.
const PAUSE: &str = "select pg_sleep(0.5 + 1.5 * random())::text";

/// Installs the tracking, or brings it up to date.
pub(in crate::tracking) fn install<C>(
    conn: &mut C,
    tracking: &Tracking<Pg>,
) -> Result<(), TrackingError>
where
    C: SyncConnection<Backend = Pg>,
{
    let mut problems = Vec::new();
    for (name, text) in parts(tracking) {
        match part(conn, &name, &text) {
            Err(TrackingError::Refused(found)) => problems.extend(found),
            outcome => outcome?,
        }
    }
    if !problems.is_empty() {
        return Err(TrackingError::Refused(problems));
    }
    let definitions: Vec<_> = tracking.definitions().iter().collect();
    let tracked = definitions.iter().filter(|table| !table.untracked);
    for (definition, index) in tracked.zip(up(&definitions).indexes) {
        build(conn, definition, &index)?;
    }
    Ok(())
}

/// The parts of an installation with their names, in order; each can be repeated.
fn parts(tracking: &Tracking<Pg>) -> Vec<(String, String)> {
    let mut parts = vec![("the registry".to_owned(), up(&[]).schema)];
    let wanted = tracking.definitions();
    let since = tracking
        .installed()
        .map(|installed| installed.definitions());
    let gone = since
        .unwrap_or_default()
        .iter()
        .filter(|old| !wanted.iter().any(|new| new.key() == old.key()));
    let named = |definition: &TableDefinition, up: Up| {
        let key = definition.key();
        up.tables.into_iter().map(move |text| (key.clone(), text))
    };
    parts.extend(gone.flat_map(|old| named(old, difference(&[old], &[]))));
    parts.extend(wanted.iter().flat_map(|new| named(new, up(&[new]))));
    parts
}

/// Runs one part, again when a lock was not free in time.
fn part<C>(conn: &mut C, name: &str, text: &str) -> Result<(), TrackingError>
where
    C: SyncConnection<Backend = Pg>,
{
    for again in 0..ATTEMPTS {
        if again > 0 {
            ask(conn, PAUSE)?;
        }
        let outcome = conn.transaction(|conn| {
            conn.batch_execute(&attempt(text))?;
            ask(conn, OUTCOME)
        })?;
        match Outcome::of(outcome.value()) {
            Outcome::Done => return Ok(()),
            Outcome::Busy => {}
            Outcome::Refused(problem) => return Err(TrackingError::Refused(vec![problem])),
        }
    }
    Err(TrackingError::Locked { table: name.into() })
}

/// Builds the index of one table, unless it is there.
fn build<C>(conn: &mut C, definition: &TableDefinition, index: &Index) -> Result<(), TrackingError>
where
    C: SyncConnection<Backend = Pg>,
{
    let alone = !in_transaction(conn)?;
    let mut attempts = 0;
    loop {
        let state = ask(conn, index::state(definition))?;
        let built = match Step::after(state, index, alone) {
            Step::Done => return Ok(()),
            Step::Part(text) => return part(conn, &definition.key(), &text),
            Step::Wait => ask(conn, PAUSE).map(drop),
            Step::Alone(statement) => {
                attempts += 1;
                conn.batch_execute(&statement)
            }
        };
        match built {
            Err(error) if attempts == ATTEMPTS => return Err(error.into()),
            Ok(()) if attempts > 2 * ATTEMPTS => {
                let table = definition.key();
                return Err(TrackingError::NoIndex { table });
            }
            _ => {}
        }
    }
}
