//! The asynchronous twins.

use super::super::device::{On, stamp};
use super::super::{Device, changes, verdicts};
use super::contents::{contents, lines};
use super::mixture::{VERDICTS, mixture};
use super::models::{CustomRow, FieldsRow};
use super::{AsyncConn, Everything, Server};
use carburetor::change::Changes;
use carburetor::outcome::Outcomes;
use carburetor::upload::{ConflictsOf, LoggedConflict, Transactions, UploadError, UploadOptions};
use carburetor::{Everyone, SyncGroup};
use diesel_async::{AsyncConnection, TransactionManager};
use serde_json::{Value, json};
use std::time::Duration;

type Two = SyncGroup<(FieldsRow, CustomRow)>;

/// Verdicts and rows without their stamps, which no two servers have in common.
fn said(outcomes: &Outcomes) -> Vec<(String, Option<Value>)> {
    let rows = outcomes.outcomes.iter().map(|outcome| {
        let mut row = outcome.row.clone();
        if let Some(row) = &mut row {
            row.remove("at");
        }
        row.map(Value::Object)
    });
    verdicts(outcomes).into_iter().zip(rows).collect()
}

/// What a conflict was about.
fn about(log: &[LoggedConflict]) -> Vec<(String, Value, u64, Value, Value)> {
    log.iter()
        .map(|entry| {
            let [lost, won] = [&entry.lost, &entry.won].map(|values| json!(values));
            (
                entry.table.clone(),
                entry.id.clone(),
                entry.sender,
                lost,
                won,
            )
        })
        .collect()
}

fn prepared() -> (Server, Changes) {
    let server = Server::new();
    let sent = mixture(&mut server.connect());
    (server, sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn asynchronous_uploads_are_the_synchronous_ones() {
    for transactions in [Transactions::One, Transactions::PerChange] {
        let options = UploadOptions {
            transactions,
            ..UploadOptions::default()
        };
        let everyone = || Everything::scoped(&Everyone);
        let [(server, sent), (other, also_sent)] =
            tokio::task::spawn_blocking(|| [prepared(), prepared()])
                .await
                .unwrap();
        let (expected, expected_log) = tokio::task::block_in_place(|| {
            let conn = &mut other.connect();
            let told = everyone().upload_with(conn, &also_sent, &options).unwrap();
            let log = everyone().conflicts(conn, &ConflictsOf::default()).unwrap();
            (told, log)
        });
        let mut conn = server.connect_async().await;
        let with = options.clone();
        let (told, log, again, sent) = tokio::spawn(async move {
            let everyone = Everything::scoped(&Everyone);
            let told = everyone
                .upload_with_async(&mut conn, &sent, &with)
                .await
                .unwrap();
            let log = everyone
                .conflicts_async(&mut conn, &ConflictsOf::default())
                .await
                .unwrap();
            let again = Everything::upload_async(&mut conn, &sent).await.unwrap();
            (told, log, again, sent)
        })
        .await
        .unwrap();
        assert_eq!(said(&told), said(&expected));
        if transactions == Transactions::One {
            assert_eq!(verdicts(&told), VERDICTS);
        }
        assert_eq!(about(&log), about(&expected_log));
        assert!(!log.is_empty());
        assert_eq!(again, told);
        tokio::task::block_in_place(|| {
            let conn = &mut server.connect();
            let before = contents(conn);
            assert_eq!(Everything::upload(conn, &sent).unwrap(), told);
            assert_eq!(contents(conn), before);
            let of_bob = ConflictsOf {
                sender: Some(2),
                ..ConflictsOf::default()
            };
            assert_eq!(everyone().conflicts(conn, &of_bob).unwrap(), log);
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_as_a_whole_leaves_a_connection_that_serves_on() {
    let (server, mut sent) = tokio::task::spawn_blocking(prepared).await.unwrap();
    let before = tokio::task::block_in_place(|| contents(&mut server.connect()));
    let mut conn = server.connect_async().await;
    let everyone = Everything::scoped(&Everyone);
    let options = UploadOptions {
        transactions: Transactions::AllOrNothing,
        ..UploadOptions::default()
    };
    let refused = everyone
        .upload_with_async(&mut conn, &sent, &options)
        .await
        .unwrap_err();
    let UploadError::Refused(rejections) = refused else {
        panic!("{refused}")
    };
    let places: Vec<usize> = rejections.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [8, 9, 10, 11]);
    assert_eq!(
        tokio::task::block_in_place(|| contents(&mut server.connect())),
        before
    );
    sent.changes.truncate(8);
    let told = everyone
        .upload_with_async(&mut conn, &sent, &options)
        .await
        .unwrap();
    assert_eq!(verdicts(&told), VERDICTS[..8]);
}

/// Polls `future` some times, then drops it.
async fn poll_some(future: impl Future, times: usize) -> bool {
    let mut future = Box::pin(future);
    for _ in 0..times {
        if futures_util::poll!(&mut future).is_ready() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    false
}

/// How many of the rows of one round are there, and what the merged one says.
fn held(server: &Server, round: i32) -> (usize, Vec<String>) {
    let conn = &mut server.connect();
    let range = format!("id between {} and {}", round * 100 + 1, round * 100 + 20);
    let rows = lines(
        conn,
        &format!("select a as line from fields_rows where {range}"),
    );
    let merged = format!("select a as line from custom_rows where id = {round}");
    (rows.len(), lines(conn, &merged))
}

/// A row that ann edited, and what bob, who hasn't seen it, sends: an edit of that row and new ones.
fn round_of(server: &Server, round: i32) -> Changes {
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    let conn = &mut server.connect();
    let row = json!({"id": round, "a": "before", "b": "b", "c": "c"});
    let seen = Two::upload(conn, &changes([ann.insert("custom_rows", row)])).unwrap();
    ann.observe(seen.clock);
    let base = stamp(&seen.outcomes[0]);
    let edit = |device: &mut Device, a: &str| {
        device
            .update("custom_rows", round, json!({"a": a}))
            .on_stamp(base)
    };
    let told = Two::upload(conn, &changes([edit(&mut ann, "ann")])).unwrap();
    bob.observe(told.clock);
    let new = |id: i32| json!({"id": round * 100 + id, "a": "new"});
    let mut sent: Vec<_> = (1..=20)
        .map(|id| bob.insert("fields_rows", new(id)))
        .collect();
    sent.insert(10, edit(&mut bob, "bob"));
    changes(sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_dropped_is_applied_as_a_whole_or_not_at_all() {
    let server = tokio::task::spawn_blocking(Server::new).await.unwrap();
    let mut seen = [false; 2];
    for times in 0..80 {
        let round = i32::try_from(times).unwrap() + 1;
        let sent = tokio::task::block_in_place(|| round_of(&server, round));
        let mut conn = server.connect_async().await;
        let finished = poll_some(Two::upload_async(&mut conn, &sent), times).await;
        let is_broken =
            <AsyncConn as AsyncConnection>::TransactionManager::is_broken_transaction_manager(
                &mut conn,
            );
        assert!(!(finished && is_broken));
        if is_broken {
            // A pool throws it away.
            conn = server.connect_async().await;
        }
        let (rows, merged) = tokio::task::block_in_place(|| held(&server, round));
        let is_applied = rows > 0;
        seen[usize::from(is_applied)] = true;
        match is_applied {
            true => assert_eq!((rows, merged), (20, vec!["ann+bob".to_owned()])),
            false => assert_eq!((finished, merged), (false, vec!["ann".to_owned()])),
        }
        // The answer was lost.
        let told = Two::upload_async(&mut conn, &sent).await.unwrap();
        let mut expected = vec!["applied"; 21];
        expected[10] = "merged";
        assert_eq!(verdicts(&told), expected);
        let (rows, merged) = tokio::task::block_in_place(|| held(&server, round));
        assert_eq!((rows, merged), (20, vec!["ann+bob".to_owned()]));
        if finished {
            assert_eq!(seen, [true; 2]);
            return;
        }
    }
    panic!("no upload has finished in 80 polls");
}
