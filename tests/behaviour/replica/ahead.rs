//! Clocks that are far ahead, which somebody gave out whose time was wrong.

use super::device::{Folder, run};
use bytes::Bytes;
use carburetor::change::Changes;
use carburetor::outcome::{Outcome, Outcomes, Verdict};
use carburetor::replica::{Replica, Transport, TransportError};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use futures_util::Stream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A server with one row of the year 2099, which refuses clocks that are ahead of its own time.
#[derive(Clone, Default)]
struct Future {
    /// No upload is taken.
    is_closed: Arc<AtomicBool>,
    refused: Arc<AtomicU32>,
}

impl Transport for Future {
    async fn download(
        &self,
        _since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        let page = format!(
            r#"{{"carburetor":1,"tables":{{"notes":{{"reset":true,"removed":[],"rows":[{{"id":"a","title":"one","body":null,"team":"red","at":"2099-01-01T00:00:00.000000Z"}}],"cutoff":"{}"}}}},"clock":"03b4a6dc280000000000000000000000","more":false,"next":"t"}}"#,
            Utc::now().to_rfc3339()
        );
        Ok(futures_util::stream::iter([Ok(page.into())]))
    }

    async fn upload(&self, message: Vec<u8>) -> Result<Bytes, TransportError> {
        let refused = |status, code: &str| TransportError::Refused {
            status,
            code: code.into(),
            detail: String::new(),
            remedy: String::new(),
            server_time: Some(Utc::now()),
        };
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(refused(500, "server"));
        }
        let changes = Changes::read(&message).unwrap().changes;
        let bound: DateTime<Utc> = Utc::now() + TimeDelta::seconds(60);
        if changes.iter().any(|change| change.clock.instant() > bound) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(refused(409, "clock_ahead"));
        }
        let outcomes = changes.iter().map(|change| {
            let mut outcome = Outcome::new(change.clock, Verdict::Applied);
            outcome.stamp = Some(Utc::now());
            outcome
        });
        let ahead = "03b4a6dc280000000000000000000000".parse().unwrap();
        let outcomes = Outcomes::new(ahead, outcomes.collect());
        Ok(serde_json::to_vec(&outcomes).unwrap().into())
    }
}

fn sync<G>(
    replica: &Replica<G>,
) -> Result<carburetor::replica::Synced, carburetor::replica::ReplicaError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(replica.sync())
}

#[test]
fn whoever_has_seen_a_clock_of_the_future_is_not_refused() {
    let (folder, server) = (Folder::new(), Future::default());
    let replica = folder.open(server.clone()).unwrap();
    let mut conn = replica.connection().unwrap();
    for title in ["uno", "due"] {
        sync(&replica).unwrap();
        run(&mut conn, &format!("update notes set title = '{title}'"));
    }
    assert_eq!(sync(&replica).unwrap().sent, 1);
    assert_eq!(server.refused.load(Ordering::Relaxed), 0);
}

#[test]
fn a_clock_of_the_future_is_forgotten_once_the_server_refuses_it() {
    let (folder, server) = (Folder::new(), Future::default());
    let replica = folder.open(server.clone()).unwrap();
    let mut conn = replica.connection().unwrap();
    sync(&replica).unwrap();
    // As a version has left it that took such clocks, and the time with them.
    run(
        &mut conn,
        "update carburetor_replica set clock = 4070908800000 << 16, seen = 4070908800000 << 16, offset_ms = 2000000000000;
update notes set title = 'uno'; update notes set body = 'x'",
    );
    assert_eq!(sync(&replica).unwrap().sent, 2);
    assert_eq!(server.refused.load(Ordering::Relaxed), 1);
    run(&mut conn, "update notes set title = 'due'");
    assert_eq!(sync(&replica).unwrap().sent, 1);
    assert_eq!(server.refused.load(Ordering::Relaxed), 1);
}

#[test]
fn what_others_have_written_comes_though_an_upload_fails() {
    use super::models::sqlite::notes::dsl;
    let (folder, server) = (Folder::new(), Future::default());
    server.is_closed.store(true, Ordering::Relaxed);
    let replica = folder.open(server.clone()).unwrap();
    let mut conn = replica.connection().unwrap();
    run(
        &mut conn,
        "insert into notes (id, title, team) values ('b', 'two', 'red')",
    );
    let error = sync(&replica).unwrap_err().to_string();
    assert!(error.contains("500 server"), "{error}");
    let titles: Vec<String> = dsl::notes
        .select(dsl::title)
        .order(dsl::id)
        .load(&mut conn)
        .unwrap();
    assert_eq!(titles, ["one", "two"]);
}
