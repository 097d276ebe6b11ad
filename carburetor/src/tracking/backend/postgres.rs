//! The tracking on PostgreSQL.

use super::{Restore, TrackingBackend};
use crate::connection::SyncConnection;
use crate::table::{TableDefinition, literal};
use crate::tracking::answer::ask;
use crate::tracking::{Problem, Tracking, TrackingError, install, postgres};
use diesel::QueryResult;
use diesel::pg::Pg;
use std::time::Duration;

/// The setting that the stamps' triggers look at, as it was.
const BEFORE: &str = "select coalesce(current_setting('carburetor.untracked', true), '')";

impl TrackingBackend for Pg {
    const REGISTERED: &'static str = "select to_regclass('carburetor.synced_table')::text";
    const DEFINITIONS: &'static str =
        "select definition from carburetor.synced_table order by name";

    fn reset_sql(definition: &TableDefinition) -> String {
        postgres::reset(definition)
    }

    fn purge_sql(definition: &TableDefinition, age: Duration) -> String {
        postgres::purge(definition, age)
    }

    fn begin_untracked<C>(conn: &mut C) -> QueryResult<Restore>
    where
        C: SyncConnection<Backend = Self>,
    {
        let before = ask(conn, BEFORE)?.value().unwrap_or_default();
        conn.batch_execute(&set_untracked("on"))?;
        // A setting for the transaction survives the release of a savepoint, so it is put back by hand.
        Ok(Restore(Some(set_untracked(&before))))
    }

    fn install<C>(conn: &mut C, tracking: &Tracking<Self>) -> Result<(), TrackingError>
    where
        C: SyncConnection<Backend = Self>,
    {
        install::postgres::install(conn, tracking)
    }

    fn verify<C>(conn: &mut C, tracking: &Tracking<Self>) -> Result<Vec<Problem>, TrackingError>
    where
        C: SyncConnection<Backend = Self>,
    {
        let tables: Vec<_> = tracking.definitions().iter().collect();
        Ok(ask(conn, postgres::verify(&tables))?.problems().collect())
    }
}

fn set_untracked(value: &str) -> String {
    format!(
        "select set_config('carburetor.untracked', {}, true)",
        literal(value)
    )
}
