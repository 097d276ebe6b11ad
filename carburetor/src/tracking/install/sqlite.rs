//! Installing on SQLite: refusals first, then everything in one transaction.

use crate::connection::shortage::is_shortage;
use crate::statement::Statement;
use crate::table::TableDefinition;
use crate::tracking::Problem;
use crate::tracking::runner::Runner;
use crate::tracking::sqlite::{
    Surroundings, TrackedTable, difference, down, forget, missing_columns, missing_shared_columns,
    refusals, reset, surroundings, up,
};
use crate::tracking::{Installed, Tracking, TrackingError};
use diesel::QueryResult;
use diesel::result::Error;
use diesel::sqlite::Sqlite;

/// Installs the tracking, or brings it up to date.
pub(in crate::tracking) async fn install<R>(
    runner: &mut R,
    tracking: &Tracking<Sqlite>,
) -> Result<(), TrackingError>
where
    R: Runner<Backend = Sqlite>,
{
    let alone = Alone::begin(runner).await?;
    let installed = install_alone(runner, tracking).await;
    alone.end(runner, installed).await
}

async fn install_alone<R>(runner: &mut R, tracking: &Tracking<Sqlite>) -> Result<(), TrackingError>
where
    R: Runner<Backend = Sqlite>,
{
    refuse(runner, tracking.definitions()).await?;
    for statement in additions(runner, tracking.definitions()).await? {
        runner.execute(&statement).await?;
    }
    let installed = Installed::read_by(runner).await?;
    if let Some(since) = tracking.installed() {
        let gone = gone(since, &installed, tracking.definitions());
        let (present, vanished) = present(runner, gone).await?;
        let vanished: String = vanished.iter().map(forget).collect();
        runner.execute(&(down(&present) + &vanished)).await?;
    }
    for definition in tracking.definitions() {
        if let Some(old) = of(&installed, definition).filter(|old| *old != definition) {
            change(runner, old, definition).await?;
        }
    }
    let tables = tracked(runner, tracking.definitions()).await?;
    Ok(runner.execute(&up(&tables)).await?)
}

/// Fails with all that keeps `definitions` from being tracked.
pub(in crate::tracking) async fn refuse<R>(
    runner: &mut R,
    definitions: &[TableDefinition],
) -> Result<(), TrackingError>
where
    R: Runner<Backend = Sqlite>,
{
    let mut problems = Vec::new();
    for definition in definitions {
        let question = Statement::of(refusals(definition));
        problems.extend(runner.ask(question).await?.rows().map(Problem::of_row));
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(TrackingError::Refused(problems)),
    }
}

/// The statements that add what columns the tables lack.
pub(in crate::tracking) async fn additions<R>(
    runner: &mut R,
    definitions: &[TableDefinition],
) -> QueryResult<Vec<String>>
where
    R: Runner<Backend = Sqlite>,
{
    let mut statements = Vec::new();
    let tables = definitions.iter().map(missing_columns);
    for missing in std::iter::once(missing_shared_columns()).chain(tables) {
        let question = Statement::of(format!("select statement from ({missing})"));
        statements.extend(runner.ask(question).await?.values());
    }
    Ok(statements)
}

/// `definitions` with what the database says about their tables.
pub(in crate::tracking) async fn tracked<R>(
    runner: &mut R,
    definitions: &[TableDefinition],
) -> QueryResult<Vec<TrackedTable>>
where
    R: Runner<Backend = Sqlite>,
{
    let mut tables = Vec::new();
    for definition in definitions {
        let answer = runner.ask(Statement::of(surroundings(definition))).await?;
        let json = answer.value().unwrap_or_default();
        let surroundings: Surroundings = serde_json::from_str(&json)
            .map_err(|error| Error::DeserializationError(Box::new(error)))?;
        tables.push(TrackedTable {
            definition: definition.clone(),
            surroundings,
        });
    }
    Ok(tables)
}

/// Leads one table from its installed definition to the new one. Where its old triggers had gone, writes have gone unseen, which the old definition's
/// own installation finds out; where that can't be had any more, the same is assumed.
async fn change<R>(
    runner: &mut R,
    old: &TableDefinition,
    new: &TableDefinition,
) -> Result<(), TrackingError>
where
    R: Runner<Backend = Sqlite>,
{
    let before = up(&tracked(runner, std::slice::from_ref(old)).await?);
    let attempt = Alone::savepoint(runner).await?;
    let installed = runner.execute(&before).await;
    match attempt.end(runner, installed).await {
        // The transaction around it may be gone, too.
        Err(error) if is_shortage(&error) => return Err(error.into()),
        Err(_) => runner.execute(&reset(old)).await?,
        Ok(()) => {}
    }
    let table = tracked(runner, std::slice::from_ref(new)).await?;
    let difference = difference(std::slice::from_ref(old), &table);
    Ok(runner.execute(&difference).await?)
}

/// The tables that were in `since`, are installed, and are no longer wanted.
fn gone(
    since: &Installed,
    installed: &Installed,
    wanted: &[TableDefinition],
) -> Vec<TableDefinition> {
    let since = since.definitions().iter();
    since
        .filter(|old| of(installed, old).is_some())
        .filter(|old| !wanted.iter().any(|new| new.key() == old.key()))
        .cloned()
        .collect()
}

/// The `definitions` whose tables have all columns of the tracking, and the others: tables that are gone themselves.
pub(in crate::tracking) async fn present<R>(
    runner: &mut R,
    definitions: Vec<TableDefinition>,
) -> QueryResult<(Vec<TableDefinition>, Vec<TableDefinition>)>
where
    R: Runner<Backend = Sqlite>,
{
    let (mut present, mut vanished) = (Vec::new(), Vec::new());
    for definition in definitions {
        let question = Statement::of(missing_columns(&definition));
        match runner.ask(question).await?.is_any() {
            true => vanished.push(definition),
            false => present.push(definition),
        }
    }
    Ok((present, vanished))
}

/// The installed definition of the same table.
fn of<'i>(installed: &'i Installed, table: &TableDefinition) -> Option<&'i TableDefinition> {
    let mut definitions = installed.definitions().iter();
    definitions.find(|definition| definition.key() == table.key())
}

/// What is undone after an error, with no other writer from its beginning on: a transaction that reads first could find that another has
/// written since.
struct Alone {
    commit: &'static str,
    rollback: &'static str,
}

impl Alone {
    async fn begin<R>(runner: &mut R) -> QueryResult<Alone>
    where
        R: Runner<Backend = Sqlite>,
    {
        if runner.in_transaction()? {
            return Alone::savepoint(runner).await;
        }
        runner.execute("begin immediate").await?;
        Ok(Alone {
            commit: "commit",
            rollback: "rollback",
        })
    }

    async fn savepoint<R>(runner: &mut R) -> QueryResult<Alone>
    where
        R: Runner<Backend = Sqlite>,
    {
        runner.execute("savepoint carburetor_install").await?;
        Ok(Alone {
            commit: "release carburetor_install",
            rollback: "rollback to carburetor_install; release carburetor_install",
        })
    }

    async fn end<R, T, E>(self, runner: &mut R, result: Result<T, E>) -> Result<T, E>
    where
        R: Runner<Backend = Sqlite>,
        E: From<Error>,
    {
        let ended = match result {
            Ok(value) => runner.execute(self.commit).await.map(|()| value),
            Err(error) => {
                // SQLite may have rolled back by itself: the first error says why.
                let _ = runner.execute(self.rollback).await;
                return Err(error);
            }
        };
        if ended.is_err() {
            let _ = runner.execute(self.rollback).await;
        }
        Ok(ended?)
    }
}
