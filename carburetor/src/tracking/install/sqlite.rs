//! Installing on SQLite: refusals first, then everything in one transaction.

use super::transaction::in_transaction;
use crate::connection::SyncConnection;
use crate::table::{TableDefinition, literal};
use crate::tracking::answer::ask;
use crate::tracking::sqlite::{
    Surroundings, TrackedTable, difference, down, missing_columns, refusals, surroundings, up,
};
use crate::tracking::{Installed, Tracking, TrackingError};
use diesel::QueryResult;
use diesel::result::Error;
use diesel::sqlite::Sqlite;

/// Installs the tracking, or brings it up to date.
pub(in crate::tracking) fn install<C>(
    conn: &mut C,
    tracking: &Tracking<Sqlite>,
) -> Result<(), TrackingError>
where
    C: SyncConnection<Backend = Sqlite>,
{
    alone(conn, |conn| {
        refuse(conn, tracking.definitions())?;
        for statement in additions(conn, tracking.definitions())? {
            conn.batch_execute(&statement)?;
        }
        let installed = Installed::read(conn)?;
        if let Some(since) = tracking.installed() {
            conn.batch_execute(&gone(since, &installed, tracking.definitions()))?;
        }
        for definition in tracking.definitions() {
            if let Some(old) = of(&installed, definition).filter(|old| *old != definition) {
                change(conn, old, definition)?;
            }
        }
        let tables = tracked(conn, tracking.definitions())?;
        Ok(conn.batch_execute(&up(&tables))?)
    })
}

/// Fails with all that keeps `definitions` from being tracked.
pub(in crate::tracking) fn refuse<C>(
    conn: &mut C,
    definitions: &[TableDefinition],
) -> Result<(), TrackingError>
where
    C: SyncConnection<Backend = Sqlite>,
{
    let mut problems = Vec::new();
    for definition in definitions {
        problems.extend(ask(conn, refusals(definition))?.problems());
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(TrackingError::Refused(problems)),
    }
}

/// The statements that add what columns the tables lack.
pub(in crate::tracking) fn additions<C>(
    conn: &mut C,
    definitions: &[TableDefinition],
) -> QueryResult<Vec<String>>
where
    C: SyncConnection<Backend = Sqlite>,
{
    let mut statements = Vec::new();
    for definition in definitions {
        let missing = missing_columns(definition);
        statements.extend(ask(conn, format!("select statement from ({missing})"))?.values());
    }
    Ok(statements)
}

/// `definitions` with what the database says about their tables.
pub(in crate::tracking) fn tracked<C>(
    conn: &mut C,
    definitions: &[TableDefinition],
) -> QueryResult<Vec<TrackedTable>>
where
    C: SyncConnection<Backend = Sqlite>,
{
    let read = |definition: &TableDefinition| {
        let json = ask(conn, surroundings(definition))?
            .value()
            .unwrap_or_default();
        let surroundings: Surroundings = serde_json::from_str(&json)
            .map_err(|error| Error::DeserializationError(Box::new(error)))?;
        Ok(TrackedTable {
            definition: definition.clone(),
            surroundings,
        })
    };
    definitions.iter().map(read).collect()
}

/// Leads one table from its installed definition to the new one. Where its old triggers had gone, writes have gone unseen, which the old definition's
/// own installation finds out; where that can't be had any more, the same is assumed.
fn change<C>(
    conn: &mut C,
    old: &TableDefinition,
    new: &TableDefinition,
) -> Result<(), TrackingError>
where
    C: SyncConnection<Backend = Sqlite>,
{
    let before = up(&tracked(conn, std::slice::from_ref(old))?);
    if savepoint(conn, |conn| conn.batch_execute(&before)).is_err() {
        conn.batch_execute(&format!(
            "update carburetor_synced_table set generation = generation + 1 where name = {}",
            literal(&old.key())
        ))?;
    }
    let table = tracked(conn, std::slice::from_ref(new))?;
    Ok(conn.batch_execute(&difference(std::slice::from_ref(old), &table))?)
}

/// What takes the tracking of tables away that were in `since`, are installed, and are no longer wanted.
fn gone(since: &Installed, installed: &Installed, wanted: &[TableDefinition]) -> String {
    let gone: Vec<_> = since
        .definitions()
        .iter()
        .filter(|old| of(installed, old).is_some())
        .filter(|old| !wanted.iter().any(|new| new.key() == old.key()))
        .cloned()
        .collect();
    down(&gone)
}

/// The installed definition of the same table.
fn of<'i>(installed: &'i Installed, table: &TableDefinition) -> Option<&'i TableDefinition> {
    let mut definitions = installed.definitions().iter();
    definitions.find(|definition| definition.key() == table.key())
}

/// Runs `write` as the only writer from its beginning on: a transaction that reads first could find that another has written since.
fn alone<C, R>(
    conn: &mut C,
    write: impl FnOnce(&mut C) -> Result<R, TrackingError>,
) -> Result<R, TrackingError>
where
    C: SyncConnection<Backend = Sqlite>,
{
    if in_transaction(conn)? {
        return savepoint(conn, write);
    }
    conn.batch_execute("begin immediate")?;
    let written = write(conn).and_then(|written| {
        conn.batch_execute("commit")?;
        Ok(written)
    });
    if written.is_err() {
        conn.batch_execute("rollback")?;
    }
    written
}

fn savepoint<C, R, E>(conn: &mut C, write: impl FnOnce(&mut C) -> Result<R, E>) -> Result<R, E>
where
    C: SyncConnection<Backend = Sqlite>,
    E: From<Error>,
{
    conn.batch_execute("savepoint carburetor_install")?;
    let written = write(conn);
    if written.is_err() {
        conn.batch_execute("rollback to carburetor_install")?;
    }
    conn.batch_execute("release carburetor_install")?;
    written
}
