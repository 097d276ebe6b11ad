//! Inserts that met another row under their id, kept until the program has heard of them.

use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, BIND, Bind, as_integer, as_text};
use super::rejected::OWN;
use super::schema::now_ms;
use crate::change::Change;
use crate::wire::WireError;
use chrono::{DateTime, Utc};
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value};

/// An insert that met a row under its id which another replica, or the server, had inserted: two rows took one id. The replica's row shows which values stand.
///
#[doc = include_str!("../../docs/examples/replica_met.md")]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Met {
    /// What [`Replica::drop_met`](super::Replica::drop_met) knows it by.
    pub seq: i64,
    /// The insert, with its values.
    pub change: Change,
    /// What the other row held, where that was something else.
    pub met: Map<String, Value>,
    /// When the answer came.
    pub at: DateTime<Utc>,
}

/// Keeps an insert that met a row in which `met` differed. The caller has a transaction.
pub(super) fn keep(
    conn: &mut SqliteConnection,
    group: &str,
    change: &Change,
    met: &Map<String, Value>,
) -> Result<(), ReplicaError> {
    query::execute(
        conn,
        &format!(
            "insert into carburetor_met (in_group, change, met, account, at) select {BIND}, {BIND}, {BIND},
  (select account from carburetor_group where name = {BIND}), {} from carburetor_replica",
            now_ms()
        ),
        [
            Bind::text(group),
            Bind::json(change)?,
            Bind::json(met)?,
            Bind::text(group),
        ],
    )?;
    Ok(())
}

impl Store {
    /// The inserts that met other rows, the oldest first.
    pub(super) fn met(&self, conn: &mut SqliteConnection) -> Result<Vec<Met>, ReplicaError> {
        let sql =
            format!("select seq, change, met, at from carburetor_met where {OWN} order by seq");
        let rows = query::rows(conn, &sql, self.own())?;
        let unreadable = |error: serde_json::Error| WireError::new(error.to_string());
        let met = rows.iter().map(|row| {
            Ok(Met {
                seq: as_integer(&row[0]),
                change: serde_json::from_str(&as_text(&row[1])).map_err(unreadable)?,
                met: serde_json::from_str(&as_text(&row[2])).map_err(unreadable)?,
                at: DateTime::from_timestamp_millis(as_integer(&row[3])).unwrap_or_default(),
            })
        });
        met.collect()
    }

    /// Forgets one of them; `false` if there is none of this number.
    pub(super) fn forget_met(
        &self,
        conn: &mut SqliteConnection,
        seq: i64,
    ) -> Result<bool, ReplicaError> {
        let sql = format!("delete from carburetor_met where {OWN} and seq = {BIND}");
        let binds = self.own().into_iter().chain([Bind::integer(seq)]);
        Ok(query::execute(conn, &sql, binds)? > 0)
    }
}
