//! What programs can watch of a replica: spans, and figures.

use super::error::ReplicaError;
use super::sync::Shared;
use super::synced::Synced;
use std::time::Instant;
use tracing::{Instrument, Span, field::Empty};

/// Syncs within a span, which says what came of it and how long it took.
pub(super) async fn measured(
    group: &str,
    sync: impl Future<Output = Result<Synced, ReplicaError>>,
) -> Result<Synced, ReplicaError> {
    let span = tracing::info_span!(
        "carburetor_replica",
        request = "sync",
        group,
        sent = Empty,
        rejected = Empty,
        rows = Empty,
        removed = Empty,
        seconds = Empty
    );
    let started = Instant::now();
    let synced = sync.instrument(span.clone()).await;
    span.record("seconds", started.elapsed().as_secs_f64());
    if let Ok(synced) = &synced {
        span.record("sent", synced.sent)
            .record("rejected", synced.rejected)
            .record("rows", synced.rows)
            .record("removed", synced.removed);
    }
    synced
}

/// The span of a run, which lasts until the program drops it.
pub(super) fn running(group: &str) -> Span {
    tracing::info_span!("carburetor_replica", request = "run", group)
}

impl Shared {
    /// Notes what a sync, or a part of a run, has done, and what still waits.
    pub(super) async fn note(&self, synced: Synced) -> Result<(), ReplicaError> {
        let Synced {
            sent,
            rejected,
            rows,
            removed,
            lost,
            met,
            unreadable,
        } = synced;
        tracing::debug!(
            sent, rejected, lost, met, unreadable, rows, removed, "synced"
        );
        #[cfg(feature = "metrics")]
        self.read(move |store, conn| figures::synced(store, conn, synced))
            .await?;
        Ok(())
    }
}

#[cfg(feature = "metrics")]
mod figures {
    use super::{ReplicaError, Synced};
    use crate::clock::Clock;
    use crate::replica::file::Store;
    use crate::replica::query::{self, as_text};
    use crate::table::literal;
    use diesel::sqlite::SqliteConnection;
    use metrics::{counter, gauge};

    /// Notes what was done, and what still waits.
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
}
