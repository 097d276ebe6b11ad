//! Changes that the server rejected, kept aside until the program says what becomes of them.

use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, BIND, Bind, as_integer, as_text};
use super::schema::{LAST_CLOCK, now_ms, tick};
use super::sending;
use crate::change::{Change, Edit};
use crate::outcome::{Code, Rejection};
use crate::wire::{SqliteValue, WireError};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// A change that the server rejected. The replica's row shows the server's values again.
///
#[doc = include_str!("../../docs/examples/replica_rejected.md")]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rejected {
    /// What [`Replica::retry`](super::Replica::retry) and [`Replica::drop_rejected`](super::Replica::drop_rejected) know it by.
    pub seq: i64,
    /// What was edited.
    pub change: Change,
    /// Why it was rejected.
    pub rejection: Rejection,
    /// When the answer came.
    pub at: DateTime<Utc>,
}

/// What was rejected of the group's and the account's changes; [`Store::own`] binds them.
pub(super) const OWN: &str = "in_group = \u{1} and account = \u{1}";

/// Keeps a rejected change until the program drops it or tries again.
pub(super) fn keep_aside(
    conn: &mut SqliteConnection,
    group: &str,
    change: &Change,
    rejection: &Rejection,
) -> Result<(), ReplicaError> {
    let unreadable = |error: serde_json::Error| WireError::new(error.to_string());
    let code = serde_json::to_value(rejection.code).map_err(unreadable)?;
    let marks = [BIND; 7].join(", ");
    query::execute(
        conn,
        &format!(
            "insert into carburetor_rejected (in_group, of_table, id, change, code, message, field, account, at) select {marks},
  (select account from carburetor_group where name = {BIND}), {} from carburetor_replica",
            now_ms()
        ),
        [
            Bind::text(group),
            Bind::text(&change.table),
            Bind::text(change.id.to_string()),
            Bind::text(serde_json::to_string(change).map_err(unreadable)?),
            Bind::text(code.as_str().unwrap_or_default()),
            Bind::text(&rejection.message),
            Bind(rejection.field.clone().map(SqliteValue::Text)),
            Bind::text(group),
        ],
    )?;
    Ok(())
}

/// The number of what was kept aside last, in whatever group.
fn last(conn: &mut SqliteConnection) -> Result<i64, ReplicaError> {
    let last = "select max(seq) from sqlite_sequence where name = 'carburetor_rejected'";
    Ok(as_integer(&query::value(conn, last, [])?))
}

/// Runs `work`, and counts what it keeps aside.
pub(super) fn counting<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, ReplicaError>,
) -> Result<(T, u64), ReplicaError> {
    let before = last(conn)?;
    let done = work(conn)?;
    Ok((done, u64::try_from(last(conn)? - before).unwrap_or(0)))
}

impl Store {
    /// The values for [`OWN`].
    pub(super) fn own(&self) -> [Bind; 2] {
        [&self.group, &self.account].map(Bind::text)
    }

    /// The rejected changes, the oldest first.
    pub(super) fn rejected(
        &self,
        conn: &mut SqliteConnection,
    ) -> Result<Vec<Rejected>, ReplicaError> {
        let sql = format!(
            "select seq, change, code, message, field, at from carburetor_rejected where {OWN} order by seq"
        );
        let rows = query::rows(conn, &sql, self.own())?;
        rows.iter()
            .map(|row| {
                let unreadable = |error: serde_json::Error| WireError::new(error.to_string());
                let code: Code =
                    serde_json::from_value(as_text(&row[2]).into()).map_err(unreadable)?;
                Ok(Rejected {
                    seq: as_integer(&row[0]),
                    change: serde_json::from_str(&as_text(&row[1])).map_err(unreadable)?,
                    rejection: Rejection {
                        code,
                        message: as_text(&row[3]),
                        field: match &row[4] {
                            Some(SqliteValue::Text(field)) => Some(field.clone()),
                            _ => None,
                        },
                    },
                    at: DateTime::from_timestamp_millis(as_integer(&row[5])).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Forgets a rejected change; `false` if there is none of this number.
    pub(super) fn forget(
        &self,
        conn: &mut SqliteConnection,
        seq: i64,
    ) -> Result<bool, ReplicaError> {
        let sql = format!("delete from carburetor_rejected where {OWN} and seq = {BIND}");
        let binds = self.own().into_iter().chain([Bind::integer(seq)]);
        Ok(query::execute(conn, &sql, binds)? > 0)
    }

    /// Edits the row again as a rejected change did: with a new clock, on the row as it is now. The caller has a transaction.
    pub(super) fn retry(
        &self,
        conn: &mut SqliteConnection,
        seq: i64,
    ) -> Result<bool, ReplicaError> {
        let rejected = self.rejected(conn)?;
        let Some(rejected) = rejected.into_iter().find(|one| one.seq == seq) else {
            return Ok(false);
        };
        self.edit_again(conn, &rejected)?;
        self.forget(conn, seq)
    }

    fn edit_again(
        &self,
        conn: &mut SqliteConnection,
        rejected: &Rejected,
    ) -> Result<(), ReplicaError> {
        let change = &rejected.change;
        let Some(table) = self.table(&change.table) else {
            let problem = WireError::new("the group no longer has it: drop the rejected change");
            return Err(problem.at(&change.table, "").into());
        };
        let id = table.admit_id(&change.id)?;
        let mut names: Vec<String> = Vec::new();
        let mut binds: Vec<Bind> = Vec::new();
        if let Edit::Insert(columns) | Edit::Update(columns) = &change.edit {
            for (name, value) in columns {
                if let Some((number, column)) = table.column(name) {
                    names.push(column.quoted());
                    binds.push(Bind((table.admit)(number, value)?));
                }
            }
        }
        if names.is_empty() && !matches!(change.edit, Edit::Delete) {
            let problem = "nothing is left of the edit, because what it wrote can't travel, or its column is gone: write it anew, and drop the rejected change";
            return Err(WireError::new(problem).at(&change.table, "").into());
        }
        let of_id = id.into_iter().map(Bind);
        let written = match &change.edit {
            Edit::Insert(_) => {
                // REPLACE would take along what only the program knows of the row.
                let set: Vec<String> = names
                    .iter()
                    .map(|name| format!("{name} = excluded.{name}"))
                    .collect();
                let sql = format!(
                    "insert into {} ({}) values ({}) on conflict ({}) do update set {}",
                    table.name(),
                    names.join(", "),
                    vec![BIND; names.len()].join(", "),
                    table.ids(""),
                    set.join(", ")
                );
                query::execute(conn, &sql, binds)?
            }
            Edit::Update(_) => {
                let set: Vec<String> = names
                    .iter()
                    .map(|name| format!("{name} = {BIND}"))
                    .collect();
                let sql = format!(
                    "update {} as kept set {} where {}",
                    table.name(),
                    set.join(", "),
                    table.has_id("kept")
                );
                query::execute(conn, &sql, binds.into_iter().chain(of_id))?
            }
            Edit::Delete => {
                let sql = format!(
                    "delete from {} as kept where {}",
                    table.name(),
                    table.has_id("kept")
                );
                query::execute(conn, &sql, of_id)?
            }
        };
        match written {
            0 if rejected.rejection.code == Code::Gone => {
                let problem = "the row is deleted, and an update brings none back: insert it anew with what was written, and drop the rejected change";
                let problem = WireError::new(problem).at(&change.table, "");
                Err(problem.of(change.id.clone()).into())
            }
            0 => self.send_again(conn, change),
            _ => Ok(()),
        }
    }

    /// The replica has no such row, so that the change itself is sent once more, with a new clock.
    fn send_again(&self, conn: &mut SqliteConnection, change: &Change) -> Result<(), ReplicaError> {
        conn.batch_execute(&tick())?;
        let clock = as_text(&query::value(conn, &format!("select {LAST_CLOCK}"), [])?);
        let again = Change {
            clock: clock
                .parse()
                .map_err(|_| WireError::new("the replica's id is unreadable"))?,
            ..change.clone()
        };
        sending::enqueue(conn, &self.group, &again, None)
    }
}
