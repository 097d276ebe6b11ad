//! The time of a replica's file.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// Sets the time by which edits in the replica's file get their clocks, until it is set again; with `None` it is the system's.
///
#[doc = include_str!("../../docs/examples/set_replica_time.md")]
///
/// # Errors
///
/// A failed statement: the file is no replica's.
pub fn set_replica_time(
    conn: &mut SqliteConnection,
    now: Option<DateTime<Utc>>,
) -> QueryResult<()> {
    let now = now.map_or("null".to_owned(), |now| now.timestamp_millis().to_string());
    conn.batch_execute(&format!("update carburetor_replica set now_ms = {now}"))
}
