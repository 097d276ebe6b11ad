//! Figures that a replica gives to whoever watches it.

use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, as_text};
use super::sync::Synced;
use crate::clock::Clock;
use crate::table::literal;
use diesel::sqlite::SqliteConnection;
use metrics::{counter, gauge};

/// Notes what a sync brought, and what still waits.
pub(super) fn synced(
    store: &Store,
    conn: &mut SqliteConnection,
    synced: Synced,
) -> Result<(), ReplicaError> {
    counter!("carburetor_replica_rows_total").increment(synced.rows);
    counter!("carburetor_replica_removed_total").increment(synced.removed);
    counter!("carburetor_replica_sent_total").increment(synced.sent);
    counter!("carburetor_replica_rejected_total").increment(synced.rejected);
    let pending = store.pending(conn)?;
    gauge!("carburetor_replica_pending").set(pending as f64);
    let age = oldest(store, conn)?.map(|clock| chrono::Utc::now() - clock.instant());
    let age = age.map_or(0.0, |age| age.as_seconds_f64().max(0.0));
    gauge!("carburetor_replica_oldest_pending_seconds").set(age);
    Ok(())
}

/// The clock of the oldest change that has no answer.
fn oldest(store: &Store, conn: &mut SqliteConnection) -> Result<Option<Clock>, ReplicaError> {
    let mut clocks = vec![format!(
        "select min(clock) clock from carburetor_sending where in_group = {}",
        literal(&store.group)
    )];
    clocks.extend(store.uploaded().map(|table| {
        format!(
            "select min(carburetor_clock) from {} where carburetor_sent <> 1",
            table.own("outbox")
        )
    }));
    let oldest = format!("select min(clock) from ({})", clocks.join(" union all "));
    Ok(as_text(&query::value(conn, &oldest, [])?).parse().ok())
}
