//! What stands in a replica's way, and what it does meanwhile.

use super::super::device::{Folder, Group, run};
use super::world::{Served, Teams, notes_in};
use super::{Conn, Server};
use bytes::Bytes;
use carburetor::replica::{
    Cause, InProcess, Next, Obstacle, Phase, Replica, Status, Task, Transport, TransportError,
};
use diesel::sqlite::SqliteConnection;
use futures_util::future::Either;
use futures_util::{Stream, StreamExt};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Inner = InProcess<Served, Teams, Conn>;

/// What doesn't work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Broken {
    upload: Option<u16>,
    download: Option<u16>,
    feed: Option<Feed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    /// Not even the beginning of an answer comes.
    Hangs,
    /// The answer has begun, and nothing of it comes.
    Buffered,
    Refused(u16),
}

#[derive(Clone)]
struct Way {
    inner: Inner,
    broken: Arc<Mutex<Broken>>,
}

fn refused(status: Option<u16>) -> Result<(), TransportError> {
    match status {
        None => Ok(()),
        Some(status) => Err(TransportError::Refused {
            status,
            code: "broken".into(),
            detail: "it is broken".into(),
            remedy: String::new(),
            server_time: None,
        }),
    }
}

impl Way {
    fn broken(&self) -> Broken {
        *self.broken.lock().unwrap()
    }

    fn set(&self, broken: Broken) {
        *self.broken.lock().unwrap() = broken;
    }
}

impl Transport for Way {
    async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        refused(self.broken().download)?;
        self.inner.download(since, limit).await
    }

    async fn feed(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        match self.broken().feed {
            Some(Feed::Hangs) => std::future::pending().await,
            Some(Feed::Refused(status)) => Err(refused(Some(status)).unwrap_err()),
            Some(Feed::Buffered) => Ok(Either::Left(futures_util::stream::pending())),
            None => Ok(Either::Right(self.inner.feed(since, limit).await?)),
        }
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        refused(self.broken().upload)?;
        self.inner.upload(changes).await
    }
}

struct World {
    server: Server,
    _folder: Folder,
    way: Way,
    replica: Replica<Group>,
    conn: SqliteConnection,
}

fn world(broken: Broken) -> World {
    let server = Server::new();
    server.run("insert into notes (id, title, team) values ('a', 'one', 'red')");
    let folder = Folder::new();
    let inner = InProcess::new(Teams(vec!["red".into()]), server.connector());
    let broken = Arc::new(Mutex::new(broken));
    let way = Way { inner, broken };
    let replica = folder.open(way.clone()).unwrap();
    let conn = replica.connection().unwrap();
    World {
        server,
        _folder: folder,
        way,
        replica,
        conn,
    }
}

const EDIT: &str = "insert into notes (id, title, team) values ('mine', 'mine', 'red')";

/// The first status that is so, and all before it.
async fn until(
    statuses: &mut Pin<&mut impl Stream<Item = Status>>,
    is_it: impl Fn(&Status) -> bool,
) -> (Status, Vec<Phase>) {
    let mut phases = Vec::new();
    let found = async {
        loop {
            let status = statuses.next().await.expect("the replica is there");
            if is_it(&status) {
                return status;
            }
            phases.push(status.phase);
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(3600), found).await;
    (found.expect("it comes"), phases)
}

fn obstacle(status: &Status, task: Task) -> &Obstacle {
    let mut all = status.obstacles.iter();
    let found = all.find(|obstacle| obstacle.task == task);
    found.unwrap_or_else(|| panic!("{status:?}"))
}

/// The program goes on while the replica runs.
async fn beside<T>(replica: &Replica<Group>, program: impl Future<Output = T>) -> T {
    tokio::select! {
        ended = replica.run() => panic!("{ended:?}"),
        done = program => done,
    }
}

async fn arrives(what: &str, mut is_here: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if is_here() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}");
}

async fn gives_way_to_downloads(feed: Feed, cause: Cause) {
    let mut world = world(Broken {
        feed: Some(feed),
        ..Broken::default()
    });
    let World {
        server,
        way,
        replica,
        conn,
        ..
    } = &mut world;
    beside(replica, async {
        let mut statuses = pin!(replica.status());
        let (polling, before) = until(&mut statuses, |status| status.phase == Phase::Polling).await;
        assert!(!before.contains(&Phase::Uploading), "{before:?}");
        assert_eq!(notes_in(conn).len(), 1);
        let late = obstacle(&polling, Task::Follow);
        assert_eq!(late.cause, cause);
        assert!(matches!(late.next, Next::Polls { .. }), "{late}");
        assert_eq!(polling.obstacles.len(), 1, "{polling:?}");

        server.run("insert into notes (id, title, team) values ('b', 'two', 'red')");
        arrives("what others write", || notes_in(conn).len() == 2).await;
        run(conn, EDIT);
        arrives("what is edited", || server.notes().len() == 3).await;

        way.set(Broken::default());
        let (live, _) = until(&mut statuses, |status| status.phase == Phase::Live).await;
        assert_eq!(live.obstacles, []);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_never_begins_gives_way_to_downloads() {
    gives_way_to_downloads(Feed::Hangs, Cause::Silent).await;
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_says_nothing_gives_way_to_downloads() {
    gives_way_to_downloads(Feed::Buffered, Cause::Silent).await;
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_alone_is_refused_gives_way_to_downloads() {
    gives_way_to_downloads(Feed::Refused(404), Cause::Refused).await;
}

#[tokio::test(start_paused = true)]
async fn a_sync_beside_a_feed_that_says_nothing_is_not_held_up() {
    let mut world = world(Broken {
        feed: Some(Feed::Hangs),
        ..Broken::default()
    });
    beside(&world.replica, async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let synced = tokio::time::timeout(Duration::from_secs(5), world.replica.sync()).await;
        synced.expect("at once").unwrap();
    })
    .await;
    assert_eq!(notes_in(&mut world.conn).len(), 1);
}

#[tokio::test]
async fn what_is_refused_keeps_nothing_from_coming() {
    let mut world = world(Broken {
        upload: Some(400),
        ..Broken::default()
    });
    run(&mut world.conn, EDIT);
    let error = world.replica.sync().await.unwrap_err();
    assert!(error.to_string().contains("400"), "{error}");
    assert_eq!(notes_in(&mut world.conn).len(), 2);
    let status = pin!(world.replica.status()).next().await.unwrap();
    assert_eq!(status.obstacles.len(), 1, "{status:?}");
    let upload = obstacle(&status, Task::Upload);
    assert_eq!(
        (upload.cause, upload.refused, upload.attempts, upload.next),
        (Cause::Refused, Some(400), 1, Next::Waits)
    );
    assert!(matches!(
        status.phase,
        Phase::Offline {
            refused: Some(400),
            ..
        }
    ));
    world.way.set(Broken::default());
    world.replica.sync().await.unwrap();
    let status = pin!(world.replica.status()).next().await.unwrap();
    assert_eq!((status.obstacles, status.phase), (vec![], Phase::Idle));
}

#[tokio::test(start_paused = true)]
async fn a_run_is_live_while_uploads_fail_and_says_since_when() {
    let mut world = world(Broken {
        upload: Some(401),
        ..Broken::default()
    });
    run(&mut world.conn, EDIT);
    let World {
        server,
        way,
        replica,
        conn,
        ..
    } = &mut world;
    beside(replica, async {
        let mut statuses = pin!(replica.status());
        let is_tried = |status: &Status, attempts: u32| {
            let mut all = status.obstacles.iter();
            status.phase == Phase::Live && all.any(|one| one.attempts >= attempts)
        };
        let (first, _) = until(&mut statuses, |status| is_tried(status, 1)).await;
        let (later, _) = until(&mut statuses, |status| is_tried(status, 3)).await;
        let (one, other) = (
            obstacle(&first, Task::Upload),
            obstacle(&later, Task::Upload),
        );
        assert_eq!((one.since, one.cause), (other.since, Cause::Unauthorized));
        assert!(matches!(other.next, Next::Again { at } if at >= other.since));
        let text = other.to_string();
        assert!(
            text.starts_with("what was edited is not sent since "),
            "{text}"
        );
        assert!(
            text.contains(
                "attempts): the server refuses (401 broken): it is broken; tried again at "
            ),
            "{text}"
        );

        server.run("insert into notes (id, title, team) values ('b', 'two', 'red')");
        arrives("what others write", || notes_in(conn).len() == 3).await;
        way.set(Broken::default());
        let is_well = |status: &Status| status.pending == 0 && status.obstacles.is_empty();
        until(&mut statuses, is_well).await;
    })
    .await;
    let status = pin!(world.replica.status()).next().await.unwrap();
    assert_eq!((status.phase, status.obstacles), (Phase::Idle, vec![]));
}
