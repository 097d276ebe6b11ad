//! The tracking on SQLite.

use super::{Restore, TrackingBackend};
use crate::statement::Statement;
use crate::table::TableDefinition;
use crate::tracking::runner::Runner;
use crate::tracking::{Problem, Tracking, TrackingError, install, sqlite};
use diesel::QueryResult;
use diesel::sqlite::Sqlite;
use std::time::Duration;

#[allow(
    private_bounds,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
impl TrackingBackend for Sqlite {
    const REGISTERED: &'static str =
        "select name from sqlite_schema where type = 'table' and name = 'carburetor_synced_table'";
    const DEFINITIONS: &'static str =
        "select definition from carburetor_synced_table where hash <> '' order by name";

    const NEW_ORIGIN: &'static str = sqlite::NEW_ORIGIN;

    fn reset_sql(definition: &TableDefinition) -> String {
        sqlite::reset(definition)
    }

    fn purge_sql(definition: &TableDefinition, age: Duration) -> String {
        sqlite::purge(definition, age)
    }

    fn purge_deletions_sql(definition: &TableDefinition, age: Duration) -> String {
        sqlite::purge_deletions(definition, age)
    }

    async fn begin_untracked<R>(runner: &mut R) -> QueryResult<Restore>
    where
        R: Runner<Backend = Self>,
    {
        let set = Statement::of(format!("{} returning name", sqlite::SET_UNTRACKED));
        // Where the row was there already, an outer call clears it.
        let inserted = runner.ask(set).await?.is_any();
        Ok(Restore(
            inserted.then(|| sqlite::CLEAR_UNTRACKED.to_owned()),
        ))
    }

    async fn install<R>(runner: &mut R, tracking: &Tracking<Self>) -> Result<(), TrackingError>
    where
        R: Runner<Backend = Self>,
    {
        install::sqlite::install(runner, tracking).await
    }

    fn warnings_sql(definitions: &[&TableDefinition]) -> String {
        sqlite::warnings(definitions)
    }

    fn ahead_sql(definition: &TableDefinition) -> Option<String> {
        sqlite::ahead(definition)
    }

    async fn verify<R>(
        runner: &mut R,
        tracking: &Tracking<Self>,
    ) -> Result<Vec<Problem>, TrackingError>
    where
        R: Runner<Backend = Self>,
    {
        let registered = runner.ask(Statement::of(Self::REGISTERED)).await?;
        if !registered.is_any() {
            return Ok(vec![Problem::new(
                "carburetor_synced_table",
                "the tracking is not installed",
                "run the tracking's up.sql, or call `Tracking::install`",
            )]);
        }
        let tables = install::sqlite::tracked(runner, tracking.definitions()).await?;
        let question = Statement::of(sqlite::verify(&tables));
        Ok(runner
            .ask(question)
            .await?
            .rows()
            .map(Problem::of_row)
            .collect())
    }
}
