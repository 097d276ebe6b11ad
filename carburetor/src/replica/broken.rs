//! A table of the device's that takes nothing at all, because a trigger on it names what isn't there: that is no row's fault.

use super::error::ReplicaError;
use super::query::{self, Bind, as_text};
use super::refused::why;
use super::table::ReplicaTable;
use crate::connection::transact;
use crate::table::{literal, quoted};
use diesel::connection::SimpleConnection;
use diesel::result::Error;
use diesel::sqlite::SqliteConnection;

/// What stands in the way of any write, if anything does; asked after one has failed.
pub(super) fn broken(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> Result<Option<ReplicaError>, ReplicaError> {
    let Some(said) = compile(conn, table)? else {
        return Ok(None);
    };
    let culprit = match trigger(conn, table)? {
        Some(trigger) => format!("the trigger `{trigger}` can't run"),
        None => "a trigger, or a foreign key, of this device's file can't be followed".to_owned(),
    };
    let problem = format!(
        "{culprit}: {said}; mend it or drop it, and what the server has comes with the next sync"
    );
    Ok(Some(ReplicaError::table(table.definition, problem)))
}

/// What SQLite says when it compiles the writes of the table, with all triggers that they fire. Nothing is written.
fn compile(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> Result<Option<String>, ReplicaError> {
    let (name, columns, ids) = (table.name(), table.columns(""), table.ids(""));
    let set: Vec<String> = table
        .definition
        .downloaded()
        .map(|column| format!("{0} = excluded.{0}", column.quoted()))
        .collect();
    let compiled = conn.batch_execute(&format!(
        "explain delete from {name};
explain insert into {name} ({columns}) select {columns} from {name} where 0 on conflict ({ids}) do update set {}",
        set.join(", ")
    ));
    let Err(error) = compiled else {
        return Ok(None);
    };
    let error = ReplicaError::from(error);
    match why(&error) {
        Some(said) => Ok(Some(said.to_owned())),
        None => Err(error),
    }
}

/// The trigger without which the writes can be compiled, the program's being tried one after the other.
fn trigger(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> Result<Option<String>, ReplicaError> {
    let triggers = format!(
        "select name from sqlite_schema where type = 'trigger' and lower(tbl_name) = lower({})
  and name not like 'carburetor%' and name not like '~carburetor%' order by name",
        literal(&table.definition.table)
    );
    let triggers = query::rows(conn, &triggers, Vec::<Bind>::new())?;
    let mut found = None;
    // None of them is dropped for good.
    let tried: Result<(), ReplicaError> = transact(conn, |conn| {
        for trigger in triggers.iter().map(|trigger| as_text(&trigger[0])) {
            conn.batch_execute(&format!("drop trigger {}", quoted(&trigger)))?;
            if compile(conn, table)?.is_none() {
                found = Some(trigger);
                break;
            }
        }
        Err(Error::RollbackTransaction.into())
    });
    match tried {
        Ok(()) | Err(ReplicaError::Query(Error::RollbackTransaction)) => Ok(found),
        Err(error) => Err(error),
    }
}
