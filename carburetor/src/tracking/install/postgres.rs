//! Installing on PostgreSQL: one table at a time, each under a timeout for its lock, then the indexes beside the writers.

mod index;
mod part;

use crate::statement::Statement;
use crate::table::TableDefinition;
use crate::tracking::Problem;
use crate::tracking::postgres::{Index, Up, difference, refusals, up};
use crate::tracking::runner::Runner;
use crate::tracking::{Installed, Tracking, TrackingBackend, TrackingError};
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
    if is_installed(runner, tracking).await? {
        return Ok(());
    }
    refuse(runner, tracking).await?;
    for (name, text) in parts(tracking) {
        part(runner, &name, &text).await?;
    }
    let definitions: Vec<_> = tracking.definitions().iter().collect();
    let tracked = definitions.iter().filter(|table| !table.untracked);
    for (definition, index) in tracked.zip(up(&definitions).indexes) {
        build(runner, definition, &index).await?;
    }
    Ok(())
}

/// Whether there is nothing to do. Asking takes no lock on a table, so that a program may install whenever it starts.
async fn is_installed<R>(runner: &mut R, tracking: &Tracking<Pg>) -> Result<bool, TrackingError>
where
    R: Runner<Backend = Pg>,
{
    let installed = match Installed::read_by(runner).await {
        // Those of another version are written anew.
        Err(TrackingError::NotTracking(_)) => return Ok(false),
        installed => installed?,
    };
    let wanted = tracking.definitions().iter();
    let tracked: Vec<_> = wanted.filter(|table| !table.untracked).collect();
    let known = |table: &&TableDefinition| installed.definitions().contains(table);
    // Without tables `verify` doesn't look at the registry.
    if tracked.is_empty() || !tracked.iter().all(known) {
        return Ok(false);
    }
    let mut known = installed.definitions().iter();
    if known.any(|old| gone(tracking).any(|gone| gone.key() == old.key())) {
        return Ok(false);
    }
    Ok(Pg::verify(runner, tracking).await?.is_empty())
}

/// Fails with all that keeps tables from being tracked.
async fn refuse<R>(runner: &mut R, tracking: &Tracking<Pg>) -> Result<(), TrackingError>
where
    R: Runner<Backend = Pg>,
{
    let definitions: Vec<_> = tracking.definitions().iter().collect();
    let answer = runner.ask(Statement::of(refusals(&definitions))).await?;
    let problems: Vec<_> = answer.rows().map(Problem::of_row).collect();
    match problems.is_empty() {
        true => Ok(()),
        false => Err(TrackingError::Refused(problems)),
    }
}

/// What was tracked, and is wanted no longer.
fn gone(tracking: &Tracking<Pg>) -> impl Iterator<Item = &TableDefinition> {
    let since = tracking.installed().map(Installed::definitions);
    since.unwrap_or_default().iter().filter(|old| {
        let mut wanted = tracking.definitions().iter();
        !wanted.any(|new| new.key() == old.key())
    })
}

/// The parts of an installation with their names, in order; each can be repeated.
fn parts(tracking: &Tracking<Pg>) -> Vec<(String, String)> {
    let mut parts = vec![("the registry".to_owned(), up(&[]).schema)];
    let named = |definition: &TableDefinition, up: Up| {
        let key = definition.key();
        up.tables.into_iter().map(move |text| (key.clone(), text))
    };
    parts.extend(gone(tracking).flat_map(|old| named(old, difference(&[old], &[]))));
    parts.extend(
        tracking
            .definitions()
            .iter()
            .flat_map(|new| named(new, up(&[new]))),
    );
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
            Err(error) if attempts >= 2 * ATTEMPTS => return Err(error.into()),
            // Two that build or drop at once may wait for each other; whoever was chosen to give way lets the other end.
            Err(_) => {
                runner.ask(Statement::of(PAUSE)).await?;
            }
            Ok(()) if attempts > 2 * ATTEMPTS => {
                let table = definition.key();
                return Err(TrackingError::NoIndex { table });
            }
            Ok(()) => {}
        }
    }
}
