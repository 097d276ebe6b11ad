//! Devices that follow a server of this library over HTTP.

use super::super::device::{Folder, Group, run};
use super::{Server, models};
use carburetor::replica::{Cause, Http, Obstacle, Phase, Replica, Task};
use carburetor::server::{Limits, Shutdown, Sync, sqlite_pool};
use carburetor::{Everyone, SyncGroup};
use diesel::prelude::*;
use futures_util::StreamExt;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

type Served = SyncGroup<(models::Note, models::Seat, models::Price, models::Chore)>;

/// A program that serves on one address, and can be stopped as a program is.
struct Program {
    address: SocketAddr,
    shutdown: Shutdown,
    stop: std::sync::Arc<tokio::sync::Notify>,
    serving: JoinHandle<()>,
}

impl Program {
    async fn start(server: &Server, address: &str) -> Self {
        Self::with_limits(server, address, Limits::default()).await
    }

    async fn with_limits(server: &Server, address: &str, limits: Limits) -> Self {
        let pool = sqlite_pool(server.0.file("server").to_str().unwrap()).unwrap();
        let sync = Sync::with_limits(pool, limits).group::<Served, Everyone>("web");
        let shutdown = sync.shutdown();
        let app = axum::Router::new().nest("/sync", sync.router());
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = std::sync::Arc::new(tokio::sync::Notify::new());
        let stopped = stop.clone();
        let serving = tokio::spawn(async move {
            axum::serve(listener, app)
                .with_graceful_shutdown(async move { stopped.notified().await })
                .await
                .unwrap();
        });
        Program {
            address,
            shutdown,
            stop,
            serving,
        }
    }

    async fn stop(self) {
        self.stop.notify_one();
        self.shutdown.begin();
        self.serving.await.unwrap();
    }

    fn open(&self, folder: &Folder) -> Replica<Group> {
        let way = Http::new(&format!("http://{}/sync/web", self.address)).unwrap();
        folder.open(way).unwrap()
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what}");
}

async fn live(replica: &Replica<Group>) {
    let mut statuses = pin!(replica.status());
    while statuses.next().await.unwrap().phase != Phase::Live {}
}

fn titles(conn: &mut SqliteConnection) -> Vec<String> {
    use super::super::models::sqlite::notes::dsl;
    let titles = dsl::notes.select(dsl::title).order(dsl::id);
    titles.load(conn).unwrap()
}

#[test]
fn devices_see_each_others_edits_and_the_servers() {
    let server = Server::new();
    server.run("insert into notes (id, title, team) values ('a', 'one', 'red')");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let program = Program::start(&server, "127.0.0.1:0").await;
        let folders = [Folder::new(), Folder::new()];
        let [one, other] = [&folders[0], &folders[1]].map(|folder| program.open(folder));
        let [mut here, mut there] = [&one, &other].map(|replica| replica.connection().unwrap());
        let seen = async {
            futures_util::future::join(live(&one), live(&other)).await;
            run(&mut here, "update notes set title = 'two'");
            until("the edit arrives", || titles(&mut there) == ["two"]).await;
            run(&mut there, "delete from notes");
            until("the deletion arrives", || titles(&mut here).is_empty()).await;
            let begun = Instant::now();
            let rows: Vec<String> = (0..100)
                .map(|number| format!("('n{number}', 'new', 'red')"))
                .collect();
            let rows = rows.join(", ");
            server.run(&format!(
                "insert into notes (id, title, team) values {rows}"
            ));
            until("the rows arrive", || titles(&mut here).len() == 100).await;
            println!("100 rows after {:?}", begun.elapsed());
        };
        tokio::select! {
            ended = one.run() => panic!("{ended:?}"),
            ended = other.run() => panic!("{ended:?}"),
            () = seen => {}
        }
    });
}

#[test]
fn a_device_comes_back_when_the_server_does() {
    let server = Server::new();
    server.run("insert into notes (id, title, team) values ('a', 'one', 'red')");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let program = Program::start(&server, "127.0.0.1:0").await;
        let address = program.address.to_string();
        let folder = Folder::new();
        let replica = program.open(&folder);
        let mut conn = replica.connection().unwrap();
        let seen = async {
            live(&replica).await;
            program.stop().await;
            run(&mut conn, "update notes set title = 'mine'");
            server.run("insert into notes (id, title, team) values ('b', 'theirs', 'red')");
            let mut statuses = pin!(replica.status());
            loop {
                let status = statuses.next().await.unwrap();
                let is_offline = matches!(status.phase, Phase::Offline { refused: None, .. });
                if is_offline && status.pending == 1 {
                    break;
                }
            }
            let _program = Program::start(&server, &address).await;
            until("both meet", || titles(&mut conn) == ["mine", "theirs"]).await;
            until("the edit arrives", || server.notes()[0].1 == "mine").await;
        };
        tokio::select! {
            ended = replica.run() => panic!("{ended:?}"),
            () = seen => {}
        }
    });
}

#[test]
fn a_device_that_follows_is_told_that_the_server_can_not_read_and_why() {
    let server = Server::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let program = Program::start(&server, "127.0.0.1:0").await;
        let folder = Folder::new();
        let replica = program.open(&folder);
        let mut conn = replica.connection().unwrap();
        let seen = async {
            live(&replica).await;
            server.run("alter table notes rename to away");
            let mut statuses = pin!(replica.status());
            loop {
                let status = statuses.next().await.unwrap();
                let is_told = |one: &Obstacle| one.task == Task::Download && one.cause == Cause::Setup;
                if status.obstacles.iter().any(is_told) {
                    assert_ne!(status.phase, Phase::Live);
                    break;
                }
            }
            server.run("alter table away rename to notes; insert into notes (id, title, team) values ('a', 'one', 'red')");
            until("the row arrives", || titles(&mut conn) == ["one"]).await;
            live(&replica).await;
            assert_eq!(super::super::device::status(&replica).obstacles, []);
        };
        tokio::select! {
            ended = replica.run() => panic!("{ended:?}"),
            seen = tokio::time::timeout(Duration::from_secs(60), seen) => seen.expect("it is told"),
        }
    });
}

#[test]
fn a_device_sends_and_asks_for_no_more_at_once_than_the_server_takes() {
    let server = Server::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let limits = Limits {
            batch: 7,
            body: 2000,
            page: 2,
            ..Limits::default()
        };
        let program = Program::with_limits(&server, "127.0.0.1:0", limits).await;
        let (folder, other) = (Folder::new(), Folder::new());
        let replica = program.open(&folder);
        let mut conn = replica.connection().unwrap();
        let long = "x".repeat(3000);
        for number in 0..20 {
            run(
                &mut conn,
                &format!("insert into notes (id, title, team) values ('n{number}', 'new', 'red')"),
            );
        }
        run(
            &mut conn,
            &format!("insert into notes (id, title, team) values ('long', '{long}', 'red')"),
        );
        run(
            &mut conn,
            "insert into notes (id, title, team) values ('z', 'last', 'red')",
        );
        let synced = replica.sync().await.unwrap();
        assert_eq!((synced.sent, synced.rejected), (22, 1));
        assert_eq!(server.notes().len(), 21);
        let rejected = replica.rejected().unwrap();
        assert_eq!(rejected[0].change.id, "long");
        assert!(
            rejected[0].rejection.message.contains("413 body"),
            "{rejected:?}"
        );
        assert_eq!(titles(&mut conn).len(), 21);

        // An edit that is too long shows what was there before it.
        run(
            &mut conn,
            &format!("update notes set title = '{long}' where id = 'z'"),
        );
        assert_eq!(replica.sync().await.unwrap().rejected, 1);
        assert_eq!(titles(&mut conn).last().unwrap(), "last");
        assert_eq!(replica.pending().unwrap(), 0);

        let replica = program.open(&other);
        replica.sync().await.unwrap();
        assert_eq!(titles(&mut replica.connection().unwrap()).len(), 21);
    });
}

#[test]
fn a_token_that_the_server_can_not_read_is_forgotten() {
    let server = Server::new();
    server.run("insert into notes (id, title, team) values ('a', 'one', 'red')");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let program = Program::start(&server, "127.0.0.1:0").await;
        let folder = Folder::new();
        let replica = program.open(&folder);
        let mut conn = replica.connection().unwrap();
        replica.sync().await.unwrap();
        let unreadable = "update carburetor_group set token = 'of another version'";
        run(&mut conn, unreadable);
        server.run("delete from notes");
        replica.sync().await.unwrap();
        assert!(titles(&mut conn).is_empty());

        run(&mut conn, unreadable);
        server.run("insert into notes (id, title, team) values ('b', 'two', 'red')");
        tokio::select! {
            ended = replica.run() => panic!("{ended:?}"),
            () = until("the row arrives", || titles(&mut conn) == ["two"]) => {}
        }
    });
}
