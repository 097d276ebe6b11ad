//! How a run tries again.

use super::device::{Folder, run};
use bytes::Bytes;
use carburetor::replica::{Phase, Transport, TransportError};
use futures_util::{Stream, StreamExt};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// A server that lets nobody in, and remembers who knocked when.
#[derive(Clone, Default)]
struct Closed(Arc<Mutex<Vec<Instant>>>);

impl Closed {
    fn knock<T>(&self) -> Result<T, TransportError> {
        self.0.lock().unwrap().push(Instant::now());
        Err(TransportError::Refused {
            status: 401,
            code: "unauthorized".into(),
            detail: "who are you?".into(),
            remedy: "sign in".into(),
            server_time: None,
        })
    }
}

impl Transport for Closed {
    async fn download(
        &self,
        _since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.knock::<futures_util::stream::Empty<_>>()
    }

    async fn upload(&self, _changes: Vec<u8>) -> Result<Bytes, TransportError> {
        self.knock()
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_run_waits_longer_and_longer_and_says_why() {
    let (folder, server) = (Folder::new(), Closed::default());
    let replica = folder.open(server.clone()).unwrap();
    let hour = tokio::time::sleep(Duration::from_secs(3600));
    tokio::select! {
        ended = replica.run() => panic!("{ended:?}"),
        () = hour => {}
    }
    let knocks = server.0.lock().unwrap().clone();
    let pauses: Vec<f64> = knocks
        .windows(2)
        .map(|two| (two[1] - two[0]).as_secs_f64())
        .collect();
    for (number, pause) in pauses.iter().enumerate() {
        let bound = 60_f64.min(2_f64.powi(i32::try_from(number).unwrap()));
        assert!(
            *pause <= bound + 0.1,
            "pause {number} is {pause}: {pauses:?}"
        );
    }
    assert!((60..400).contains(&knocks.len()), "{pauses:?}");
    let long = pauses.iter().filter(|pause| **pause > 30.0).count();
    assert!(long > pauses.len() / 4 && long < pauses.len(), "{pauses:?}");
}

#[tokio::test]
async fn a_refusal_shows_in_the_status() {
    let (folder, server) = (Folder::new(), Closed::default());
    let replica = folder.open(server.clone()).unwrap();
    let mut conn = replica.connection().unwrap();
    let mut statuses = pin!(replica.status());
    run(
        &mut conn,
        "insert into notes (id, title, team) values ('a', 'one', 'red')",
    );
    let told = async {
        loop {
            let status = statuses.next().await.unwrap();
            if let Phase::Offline { reason, refused } = &status.phase {
                assert_eq!(*refused, Some(401));
                assert_eq!(
                    reason,
                    "the server refuses (401 unauthorized): who are you?; sign in"
                );
                return;
            }
        }
    };
    tokio::select! {
        ended = replica.run() => panic!("{ended:?}"),
        () = told => {}
    }
    let status = pin!(replica.status()).next().await.unwrap();
    assert_eq!(status.phase, Phase::Idle, "nobody tries any more");
}

#[tokio::test]
async fn a_run_ends_when_the_file_fails() {
    let (folder, server) = (Folder::new(), Closed::default());
    let replica = folder.open(server).unwrap();
    run(
        &mut replica.connection().unwrap(),
        "drop table carburetor_sending",
    );
    let error = replica.run().await.unwrap_err();
    assert!(error.to_string().contains("carburetor_sending"), "{error}");
}

#[tokio::test]
async fn what_is_edited_in_a_pause_shows_in_the_status() {
    let (folder, server) = (Folder::new(), Closed::default());
    let replica = folder.open(server).unwrap();
    let mut conn = replica.connection().unwrap();
    let mut statuses = pin!(replica.status());
    let told = async {
        loop {
            let status = statuses.next().await.unwrap();
            match (status.phase, status.pending) {
                (Phase::Offline { .. }, 0) => run(
                    &mut conn,
                    "insert into notes (id, title, team) values ('a', 'one', 'red') on conflict do nothing",
                ),
                (Phase::Offline { .. }, _) => return,
                _ => {}
            }
        }
    };
    tokio::select! {
        ended = replica.run() => panic!("{ended:?}"),
        () = told => {}
    }
}
