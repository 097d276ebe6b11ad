//! A server whose feeds are followed over real sockets.

use crate::serving::{pool, serve};
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use carburetor::server::{self, Database as Served, Limits, Notified, ServedGroup, Sync};
use carburetor::{SyncGroup, SyncScope, SyncTable, Visible};
use carburetor_tests::{Cluster, Database};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use futures_util::stream::{self, StreamExt};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::AsyncReadExt;
use tokio::runtime::Runtime;

diesel::table! { notes (id) { id -> Text, title -> Text, team -> Text, at -> Timestamptz, } }

/// A row of a team.
#[derive(Debug, Queryable, SyncTable)]
#[sync(backends(postgres))]
#[allow(dead_code, reason = "rows are served, their fields are not read")]
pub struct Note {
    id: String,
    title: String,
    #[sync(visible_by)]
    team: String,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

/// Who asks.
pub struct Team(String);

impl SyncScope<Note, Pg> for Team {
    fn filter(&self) -> Visible<'_, notes::table, Pg> {
        Visible::keys(notes::team, [self.0.clone()])
    }
}

impl<S: Send + std::marker::Sync> FromRequestParts<S> for Team {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let team = parts
            .headers
            .get("x-team")
            .and_then(|team| team.to_str().ok());
        team.map(|team| Team(team.into()))
            .ok_or(StatusCode::UNAUTHORIZED)
    }
}

/// How the server learns of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// It asks.
    Polling,
    /// Triggers notify it.
    Notified,
}

impl Watching {
    pub fn name(self) -> &'static str {
        match self {
            Watching::Polling => "polled",
            Watching::Notified => "notified",
        }
    }
}

/// What takes the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serving {
    /// `axum::serve`.
    Axum,
    /// `carburetor::server::serve`.
    Carburetor,
}

type Web = SyncGroup<(Note,), Team>;

/// The tracked table, with a row for each writer.
pub fn database(watching: Watching) -> Database {
    let database = Cluster::shared().database();
    database.psql(
        "create table notes (id text primary key, title text not null, team text not null);
         insert into notes select 'writer ' || n, 'x', 't0' from generate_series(0, 15) n",
    );
    let tracking = SyncGroup::<(Note,)>::tracking::<Pg>();
    tracking
        .install(&mut database.connect())
        .expect("the table can be tracked");
    if watching == Watching::Notified {
        database.psql(&tracking.notify_sql());
    }
    database
}

/// A program that serves.
pub struct Program {
    pub runtime: Runtime,
    address: SocketAddr,
}

/// How many have got their first page.
static FOLLOWING: AtomicUsize = AtomicUsize::new(0);

impl Program {
    pub fn start(database: &Database, watching: Watching) -> Self {
        Self::serving(database, watching, Serving::Axum)
    }

    /// The same by another server.
    pub fn serving(database: &Database, watching: Watching, serving: Serving) -> Self {
        let runtime = Runtime::new().expect("the runtime starts");
        let pool = pool(database, 8);
        let address = match watching {
            Watching::Polling => Self::serve(&runtime, pool, serving),
            Watching::Notified => Self::serve(&runtime, Notified(pool), serving),
        };
        Program { runtime, address }
    }

    fn serve<D: Served>(runtime: &Runtime, database: D, serving: Serving) -> SocketAddr
    where
        Web: ServedGroup<D::Connection, Scope = Team>,
    {
        let limits = Limits {
            feeds_per_scope: 20_000,
            ..Limits::default()
        };
        let sync = Sync::with_limits(database, limits).group::<Web, Team>("web");
        let shutdown = sync.shutdown();
        let app = sync.router().route("/floor", axum::routing::get(floor));
        serve(runtime, move |listener| async move {
            match serving {
                Serving::Axum => axum::serve(listener, app).await.expect("it serves"),
                Serving::Carburetor => server::serve(listener, app, &shutdown).await,
            }
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a feed.
    pub fn open(&self, team: &str) -> TcpStream {
        open(self.address, team, LINES)
    }

    /// Waits until so many follow.
    pub fn wait_for(&self, followers: usize) {
        while FOLLOWING.load(Ordering::SeqCst) != followers {
            std::thread::sleep(Duration::from_millis(5));
        }
        // What was written before the feeds came doesn't come again after this.
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// What asks for a feed of lines, for one of events, for one over a web socket, and for an answer of axum's own that doesn't end.
pub const LINES: &str = "GET /web/feed HTTP/1.1\r\naccept: application/x-ndjson\r\n";
pub const EVENTS: &str = "GET /web/feed HTTP/1.1\r\n";
pub const SOCKET: &str = "GET /web/feed HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
pub const FLOOR: &str = "GET /floor HTTP/1.1\r\n";

fn open(address: SocketAddr, team: &str, form: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    write!(stream, "{form}host: x\r\nx-team: {team}\r\n\r\n").expect("the request is sent");
    stream
}

/// What looks like the first page of a feed, and then nothing.
async fn floor() -> Body {
    let first = stream::once(async { Ok::<_, std::io::Error>("{\"more\":false}\n") });
    Body::from_stream(first.chain(stream::pending()))
}

/// Somebody who follows, until he is dropped.
struct Follower;

impl Drop for Follower {
    fn drop(&mut self) {
        FOLLOWING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Reads a feed, and says each line of it.
pub async fn follow(stream: TcpStream, mut said: impl FnMut(&[u8])) {
    stream.set_nonblocking(true).expect("it is a socket");
    let mut stream = tokio::net::TcpStream::from_std(stream).expect("it is a socket");
    let mut buffer = Vec::new();
    let mut follower = None;
    loop {
        match stream.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            if line.windows(12).any(|part| part == b"\"more\":false") {
                follower.get_or_insert_with(|| {
                    FOLLOWING.fetch_add(1, Ordering::SeqCst);
                    Follower
                });
            }
            said(&line);
        }
    }
}

/// How many teams those who hold feeds are of.
pub const TEAMS: usize = 10;

/// What all of them are told.
pub const NEWS: &str = "news for everybody";

/// Opens feeds for another process, waits for what they are told, and holds them until its input ends.
pub fn hold(address: SocketAddr, feeds: usize, form: &str) {
    let mut streams: Vec<TcpStream> = (0..feeds)
        .map(|number| {
            let mut stream = open(address, &format!("t{}", number % TEAMS), form);
            read_until(&mut stream, "\"more\":false");
            stream
        })
        .collect();
    println!("open");
    if form != FLOOR {
        for stream in &mut streams {
            read_until(stream, NEWS);
        }
        println!("told");
    }
    std::io::stdin()
        .read_to_end(&mut Vec::new())
        .expect("the input can be read");
    drop(streams);
}

fn read_until(stream: &mut TcpStream, wanted: &str) {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(wanted) {
        let mut part = [0; 4096];
        let length = stream.read(&mut part).expect("the feed can be read");
        assert!(length > 0, "the feed has ended");
        read.extend_from_slice(&part[..length]);
    }
}

/// A number that no other lap of this run has.
pub fn unique() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1_000_000, Ordering::SeqCst)
}

/// Some of so many microseconds.
pub fn jitter(micros: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::from(now.map_or(0, |now| now.subsec_nanos())) / 7 % micros
}
