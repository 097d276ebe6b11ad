//! The tracking on PostgreSQL.

use super::{Restore, TrackingBackend};
use crate::statement::Statement;
use crate::table::{TableDefinition, literal};
use crate::tracking::runner::Runner;
use crate::tracking::{Problem, Tracking, TrackingError, install, postgres};
use diesel::QueryResult;
use diesel::pg::Pg;
use std::time::Duration;

/// The setting that the stamps' triggers look at, as it was.
const BEFORE: &str = "select coalesce(current_setting('carburetor.untracked', true), '')";

#[allow(
    private_bounds,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
impl TrackingBackend for Pg {
    const REGISTERED: &'static str = "select to_regclass('carburetor.synced_table')::text";
    const DEFINITIONS: &'static str =
        "select definition from carburetor.synced_table order by name";

    const NEW_ORIGIN: &'static str = "select carburetor.new_origin()";

    fn reset_sql(definition: &TableDefinition) -> String {
        postgres::reset(definition)
    }

    fn purge_sql(definition: &TableDefinition, age: Duration) -> String {
        postgres::purge(definition, age)
    }

    fn purge_deletions_sql(definition: &TableDefinition, age: Duration) -> String {
        postgres::purge_deletions(definition, age)
    }

    async fn begin_untracked<R>(runner: &mut R) -> QueryResult<Restore>
    where
        R: Runner<Backend = Self>,
    {
        let before = runner.ask(Statement::of(BEFORE)).await?;
        let before = before.value().unwrap_or_default();
        runner.execute(&set_untracked("on")).await?;
        // A setting for the transaction survives the release of a savepoint, so it is put back by hand.
        Ok(Restore(Some(set_untracked(&before))))
    }

    async fn install<R>(runner: &mut R, tracking: &Tracking<Self>) -> Result<(), TrackingError>
    where
        R: Runner<Backend = Self>,
    {
        install::postgres::install(runner, tracking).await
    }

    fn warnings_sql(definitions: &[&TableDefinition]) -> String {
        postgres::warnings(definitions)
    }

    fn ahead_sql(definition: &TableDefinition) -> Option<String> {
        postgres::ahead(definition)
    }

    async fn verify<R>(
        runner: &mut R,
        tracking: &Tracking<Self>,
    ) -> Result<Vec<Problem>, TrackingError>
    where
        R: Runner<Backend = Self>,
    {
        let tables: Vec<_> = tracking.definitions().iter().collect();
        let question = Statement::of(postgres::verify(&tables));
        Ok(runner
            .ask(question)
            .await?
            .rows()
            .map(Problem::of_row)
            .collect())
    }
}

fn set_untracked(value: &str) -> String {
    format!(
        "select set_config('carburetor.untracked', {}, true)",
        literal(value)
    )
}
