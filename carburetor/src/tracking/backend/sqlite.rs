//! The tracking on SQLite.

use super::{Restore, TrackingBackend};
use crate::connection::SyncConnection;
use crate::statement::Statement;
use crate::table::{TableDefinition, literal};
use crate::tracking::answer::ask;
use crate::tracking::{Problem, Tracking, TrackingError, install, sqlite};
use diesel::QueryResult;
use diesel::sqlite::Sqlite;
use std::time::Duration;

impl TrackingBackend for Sqlite {
    const REGISTERED: &'static str =
        "select name from sqlite_schema where type = 'table' and name = 'carburetor_synced_table'";
    const DEFINITIONS: &'static str =
        "select definition from carburetor_synced_table where hash <> '' order by name";

    /// The clock moves as well: with the horizon ahead of the next cutoff, each download would be a reset.
    fn reset_sql(definition: &TableDefinition) -> String {
        format!(
            "update carburetor_clock set now = now + 1;
update carburetor_synced_table set generation = generation + 1, horizon = (select now + 1 from carburetor_clock) where name = {};",
            literal(&definition.key())
        )
    }

    fn purge_sql(definition: &TableDefinition, age: Duration) -> String {
        sqlite::purge(definition, age)
    }

    fn begin_untracked<C>(conn: &mut C) -> QueryResult<Restore>
    where
        C: SyncConnection<Backend = Self>,
    {
        // Where the row was there already, an outer call clears it.
        let inserted = conn.execute_returning_count(&Statement::of(sqlite::SET_UNTRACKED))? > 0;
        Ok(Restore(
            inserted.then(|| sqlite::CLEAR_UNTRACKED.to_owned()),
        ))
    }

    fn install<C>(conn: &mut C, tracking: &Tracking<Self>) -> Result<(), TrackingError>
    where
        C: SyncConnection<Backend = Self>,
    {
        install::sqlite::install(conn, tracking)
    }

    fn verify<C>(conn: &mut C, tracking: &Tracking<Self>) -> Result<Vec<Problem>, TrackingError>
    where
        C: SyncConnection<Backend = Self>,
    {
        if ask(conn, Self::REGISTERED)?.value().is_none() {
            return Ok(vec![Problem::new(
                "carburetor_synced_table",
                "the tracking is not installed",
                "run the tracking's up.sql, or call `Tracking::install`",
            )]);
        }
        let tables = install::sqlite::tracked(conn, tracking.definitions())?;
        Ok(ask(conn, sqlite::verify(&tables))?.problems().collect())
    }
}
