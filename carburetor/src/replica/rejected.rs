//! Changes that the server rejected, kept aside until the program says what becomes of them.

use super::error::ReplicaError;
use super::file::Store;
use super::overtaken::made;
use super::query::{self, BIND, Bind, as_integer, as_text};
use super::rest::Rest;
use super::schema::now_ms;
use crate::change::Change;
use crate::outcome::{Code, Rejection};
use crate::wire::{SqliteValue, WireError};
use chrono::{DateTime, Utc};
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value};

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
    /// What else is known of the row, for people: columns that never travel (`local` ones) of a row that went with its insert, which
    /// [`Replica::retry`](super::Replica::retry) gives back, and values that can't travel. Bytes, and text that isn't UTF-8, are in hexadecimal digits:
    /// `{"blob": "ff41"}`, `{"text": "ff41"}`.
    pub rest: Map<String, Value>,
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
    rest: &Rest,
) -> Result<(), ReplicaError> {
    let unreadable = |error: serde_json::Error| WireError::new(error.to_string());
    let code = serde_json::to_value(rejection.code).map_err(unreadable)?;
    let marks = [BIND; 8].join(", ");
    query::execute(
        conn,
        &format!(
            "insert into carburetor_rejected (in_group, of_table, id, change, code, message, field, rest, made, account, at) select {marks}, {},
  (select account from carburetor_group where name = {BIND}), {} from carburetor_replica",
            made(BIND),
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
            Bind::text(rest.to_text()),
            Bind::text(change.clock.to_string()),
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
            "select seq, change, code, message, field, at, rest from carburetor_rejected where {OWN} order by seq"
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
                    rest: Rest::of_text(&as_text(&row[6])).shown(),
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
}
