//! Devices that follow their server.

use super::world::{Device, Served, Teams, note};
use super::{Conn, Server};
use bytes::Bytes;
use carburetor::replica::{InProcess, Phase, Status, Transport, TransportError};
use futures_util::{Stream, StreamExt};
use std::pin::{Pin, pin};
use std::time::Duration;

fn served() -> Server {
    let server = Server::new();
    server.run(
        "insert into notes (id, title, team) values ('a', 'one', 'red'), ('x', 'else', 'blue')",
    );
    server
}

fn block_on<T>(task: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(task)
}

/// A program may let it run on whatever thread.
#[test]
fn a_run_can_be_spawned() {
    fn is_spawned(_: impl Send) {}
    let server = served();
    is_spawned(server.device().replica.run());
}

/// The program runs while the device follows the server.
fn follow<T>(device: &Device, program: impl Future<Output = T>) -> T {
    block_on(async {
        tokio::select! {
            ended = device.replica.run() => panic!("{ended:?}"),
            done = program => done,
        }
    })
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        for _ in 0..1000 {
            if is_so() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{what} ({caller})");
    }
}

async fn phase(
    statuses: &mut Pin<&mut impl Stream<Item = Status>>,
    is_it: impl Fn(&Phase) -> bool,
) -> Status {
    let found = async {
        loop {
            let status = statuses.next().await.expect("the replica is there");
            if is_it(&status.phase) {
                return status;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found)
        .await
        .expect("the phase comes")
}

fn text(page: Option<Result<Bytes, TransportError>>) -> String {
    String::from_utf8(page.unwrap().unwrap().to_vec()).unwrap()
}

/// What comes until nothing does: on PostgreSQL a row comes again while a transaction is open that began before it.
async fn quiet(feed: &mut Pin<&mut impl Stream<Item = Result<Bytes, TransportError>>>) -> String {
    let mut said = String::new();
    while let Ok(page) = tokio::time::timeout(Duration::from_millis(500), feed.next()).await {
        said += &text(page);
        assert!(said.len() < 100_000, "it goes on and on: {said}");
    }
    said
}

#[test]
fn a_feed_begins_with_what_is_new_and_goes_on_with_what_changes() {
    let server = served();
    let way: InProcess<Served, Teams, Conn> =
        InProcess::new(Teams(vec!["red".into()]), server.connector());
    block_on(async {
        let mut feed = pin!(way.feed(None, 10).await.unwrap());
        let first = text(feed.next().await);
        assert!(
            first.contains("\"one\"") && first.contains("\"more\":false"),
            "{first}"
        );
        quiet(&mut feed).await;
        server.run("update notes set title = 'else again' where id = 'x'");
        let said = quiet(&mut feed).await;
        assert!(!said.contains("else"), "{said}");
        server.run("update notes set title = 'two' where id = 'a'");
        let news = loop {
            let news = text(feed.next().await);
            assert!(!news.contains("else"), "{news}");
            if news.contains("\"two\"") {
                break news;
            }
        };
        let token = news.rsplit('"').nth(1).unwrap();
        let mut again = pin!(way.feed(Some(token), 10).await.unwrap());
        let first = text(again.next().await);
        assert!(
            first.contains("\"more\":false"),
            "it says that the feed stands: {first}"
        );
    });
}

#[test]
fn what_others_write_arrives_while_a_device_follows() {
    let server = served();
    let mut device = server.device();
    let replica = &device.replica;
    let mut conn = replica.connection().unwrap();
    follow(&device, async {
        server.run("insert into notes (id, title, team) values ('b', 'two', 'red')");
        until("the note arrives", || count(&mut conn) == 2).await;
        server.run("delete from notes where id = 'a'");
        until("the note goes", || count(&mut conn) == 1).await;
    });
    assert_eq!(device.notes(), [note("b", "two")]);
}

fn count(conn: &mut diesel::SqliteConnection) -> i64 {
    use super::super::models::sqlite::notes::dsl;
    use diesel::prelude::*;
    dsl::notes.count().get_result(conn).unwrap()
}

#[test]
fn what_the_program_writes_on_any_connection_is_sent_at_once() {
    let server = served();
    let device = server.device();
    let mut other = device.replica.connection().unwrap();
    follow(&device, async {
        for number in 0..3 {
            let title = format!("edit {number}");
            super::super::device::run(&mut other, &format!("update notes set title = '{title}'"));
            until("the edit arrives", || server.notes()[0].1 == title).await;
        }
        until("it is answered", || device.pending() == 0).await;
    });
}

#[test]
fn two_devices_that_follow_see_each_others_edits() {
    let server = served();
    let (one, other) = (server.device(), server.device());
    let [mut here, mut there] = [&one, &other].map(|device| device.replica.connection().unwrap());
    block_on(async {
        tokio::select! {
            ended = one.replica.run() => panic!("{ended:?}"),
            ended = other.replica.run() => panic!("{ended:?}"),
            () = async {
                super::super::device::run(&mut here, "insert into notes (id, title, team) values ('b', 'here', 'red')");
                until("the note arrives", || count(&mut there) == 2).await;
                super::super::device::run(&mut there, "delete from notes where id = 'b'");
                until("the note goes", || count(&mut here) == 1).await;
            } => {}
        }
    });
}

#[test]
fn a_run_goes_on_when_the_network_is_back() {
    let server = served();
    let mut device = server.device();
    let mut conn = device.replica.connection().unwrap();
    follow(&device, async {
        let mut statuses = pin!(device.replica.status());
        phase(&mut statuses, |phase| *phase == Phase::Live).await;
        device.faults.set_offline(true);
        super::super::device::run(&mut conn, "update notes set title = 'mine'");
        let status = phase(&mut statuses, |phase| {
            matches!(phase, Phase::Offline { refused: None, .. })
        })
        .await;
        assert_eq!(status.pending, 1);
        server.run("insert into notes (id, title, team) values ('b', 'two', 'red')");
        device.faults.set_offline(false);
        phase(&mut statuses, |phase| *phase == Phase::Live).await;
        until("the edit arrives", || server.notes()[0].1 == "mine").await;
    });
    assert_eq!(device.notes(), [note("a", "mine"), note("b", "two")]);
}

#[test]
fn a_sync_beside_a_run_disturbs_neither() {
    let server = served();
    let mut device = server.device();
    let mut conn = device.replica.connection().unwrap();
    follow(&device, async {
        for number in 0..30_u32 {
            server.run(&format!(
                "insert into notes (id, title, team) values ('s{number:02}', 'theirs', 'red')"
            ));
            super::super::device::run(
                &mut conn,
                &format!(
                    "insert into notes (id, title, team) values ('d{number:02}', 'mine', 'red')"
                ),
            );
            device.replica.sync().await.unwrap();
            let here = count(&mut conn);
            assert_eq!(
                here,
                2 * i64::from(number) + 3,
                "what a sync has shown stays"
            );
            tokio::time::sleep(Duration::from_millis(u64::from(number) * 7 % 40)).await;
        }
        let mut statuses = pin!(device.replica.status());
        phase(&mut statuses, |phase| *phase == Phase::Live).await;
    });
    let mut seen = server.notes();
    seen.retain(|note| note.3 == "red");
    assert_eq!(device.notes(), seen);
    assert_eq!((device.pending(), device.entries()), (0, 0));
}

#[test]
fn a_run_that_is_dropped_anywhere_leaves_what_a_sync_goes_on_from() {
    let server = served();
    let mut device = server.device();
    device.downloads.set_rows(2);
    for wakes in 0..40 {
        device.run(&format!("update notes set title = 'mine {wakes}' where id = 'a'; insert into chores (id, name, gone) values ({wakes}, 'new', false)"));
        server.run(&format!("update notes set body = 'theirs {wakes}'; insert into notes (id, title, team) values ('n{wakes}', 'new', 'red')"));
        block_on(async {
            let mut left = wakes;
            let mut run = pin!(device.replica.run());
            std::future::poll_fn(|context| {
                let _ = run.as_mut().poll(context);
                left -= 1;
                match left {
                    ..0 => std::task::Poll::Ready(()),
                    _ => std::task::Poll::Pending,
                }
            })
            .await;
        });
    }
    device.sync();
    device.sync();
    let mut seen = server.notes();
    seen.retain(|note| note.3 == "red");
    assert_eq!(device.notes(), seen);
    assert_eq!(device.chores(), server.chores());
    assert_eq!((device.pending(), device.entries()), (0, 0));
    assert_eq!(device.notes()[0].1, "mine 39");
}

#[test]
fn the_status_tells_how_a_first_load_proceeds() {
    let server = Server::new();
    let mut device = server.device();
    for number in 0..10 {
        server.run(&format!(
            "insert into notes (id, title, team) values ('n{number}', 'one', 'red')"
        ));
    }
    device.downloads.set_rows(3);
    let mut seen = Vec::new();
    follow(&device, async {
        let mut statuses = pin!(device.replica.status());
        let status = phase(&mut statuses, |phase| {
            matches!(phase, Phase::Downloading { rows: 3.. } | Phase::Live)
        })
        .await;
        seen.push(status.phase);
        let status = phase(&mut statuses, |phase| *phase == Phase::Live).await;
        assert!(status.last_synced.is_some());
    });
    assert_eq!(device.notes().len(), 10);
    let status = block_on(async { pin!(device.replica.status()).next().await }).unwrap();
    assert_eq!(status.phase, Phase::Idle);
    device.restart(&server, &["red"]);
    let reopened = block_on(async { pin!(device.replica.status()).next().await }).unwrap();
    assert_eq!(reopened.last_synced, status.last_synced);
}
