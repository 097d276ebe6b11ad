//! Installing on PostgreSQL: one table at a time, each under a timeout for its lock, then the indexes beside the writers.

mod index;
mod part;

use crate::statement::Statement;
use crate::table::TableDefinition;
use crate::tracking::postgres::{Index, Up, difference, up};
use crate::tracking::runner::Runner;
use crate::tracking::{Tracking, TrackingError};
use diesel::QueryResult;
use diesel::pg::Pg;
use index::Step;
use part::{OUTCOME, Outcome, attempt};

/// How often a part is tried.
const ATTEMPTS: usize = 5;

/// Lets others go on between two attempts: half a second to two. The server waits, so that the library needs no timer.
const PAUSE: &str = "select pg_sleep(0.5 + 1.5 * random())::text";

/// Installs the tracking, or brings it up to date.
pub(in crate::tracking) async fn install<R>(
    runner: &mut R,
    tracking: &Tracking<Pg>,
) -> Result<(), TrackingError>
where
    R: Runner<Backend = Pg>,
{
    let mut problems = Vec::new();
    for (name, text) in parts(tracking) {
        match part(runner, &name, &text).await {
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
        build(runner, definition, &index).await?;
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
async fn part<R>(runner: &mut R, name: &str, text: &str) -> Result<(), TrackingError>
where
    R: Runner<Backend = Pg>,
{
    for again in 0..ATTEMPTS {
        if again > 0 {
            runner.ask(Statement::of(PAUSE)).await?;
        }
        runner.begin().await?;
        let outcome = try_once(runner, text).await;
        match runner.end(outcome).await? {
            Outcome::Done => return Ok(()),
            Outcome::Busy => {}
            Outcome::Refused(problem) => return Err(TrackingError::Refused(vec![problem])),
        }
    }
    Err(TrackingError::Locked { table: name.into() })
}

async fn try_once<R>(runner: &mut R, text: &str) -> QueryResult<Outcome>
where
    R: Runner<Backend = Pg>,
{
    runner.execute(&attempt(text)).await?;
    let outcome = runner.ask(Statement::of(OUTCOME)).await?;
    Ok(Outcome::of(outcome.value()))
}

/// Builds the index of one table, unless it is there.
async fn build<R>(
    runner: &mut R,
    definition: &TableDefinition,
    index: &Index,
) -> Result<(), TrackingError>
where
    R: Runner<Backend = Pg>,
{
    let alone = !runner.in_transaction()?;
    let mut attempts = 0;
    loop {
        let state = runner.ask(Statement::of(index::state(definition))).await?;
        let built = match Step::after(state, index, alone) {
            Step::Done => return Ok(()),
            Step::Part(text) => return part(runner, &definition.key(), &text).await,
            Step::Wait => runner.ask(Statement::of(PAUSE)).await.map(drop),
            Step::Alone(statement) => {
                attempts += 1;
                runner.execute(&statement).await
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
