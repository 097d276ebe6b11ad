//! A page that takes long keeps nobody but whoever asked for it, also where its statement can't be told to end.

use super::models::Note;
use super::world::{Team, routes};
use super::{Pool, Server};
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use carburetor::SyncGroup;
use carburetor::server::{Limits, Sync};
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel_async::AsyncConnection;
use reqwest::Response;
use serde_json::Value;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(30);

/// Where statements that read notes wait.
#[derive(Default)]
struct Gate {
    /// Whether it is closed, and how many wait.
    state: Mutex<(bool, usize)>,
    moved: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.1 += 1;
        self.moved.notify_all();
        let mut state = self.moved.wait_while(state, |state| state.0).unwrap();
        state.1 -= 1;
    }

    fn set(&self, is_closed: bool) {
        self.state.lock().unwrap().0 = is_closed;
        self.moved.notify_all();
    }

    /// Waits until somebody waits there.
    fn reached(&self) {
        let state = self.state.lock().unwrap();
        let (_state, waited) = self
            .moved
            .wait_timeout_while(state, PATIENCE, |state| state.1 == 0)
            .unwrap();
        assert!(!waited.timed_out(), "nobody reads");
    }
}

/// A server on one thread, whose pages wait at a gate.
struct Gated {
    server: Server,
    gate: Arc<Gate>,
    address: String,
    /// Whoever asks has threads of his own.
    asking: Runtime,
}

impl Drop for Gated {
    fn drop(&mut self) {
        self.gate.set(false);
    }
}

impl Gated {
    fn new(app: impl FnOnce(Pool) -> Router + Send + 'static) -> Self {
        let server = Server::new();
        let gate = Arc::new(Gate::default());
        let (pool, at) = (server.pool(1), Arc::clone(&gate));
        let (said, address) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let one = Builder::new_current_thread().enable_all().build().unwrap();
            one.block_on(async {
                arm(&pool, &at).await;
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                said.send(format!("http://{}", listener.local_addr().unwrap()))
                    .unwrap();
                axum::serve(listener, app(pool)).await.unwrap();
            });
        });
        Gated {
            server,
            gate,
            address: address.recv().unwrap(),
            asking: Runtime::new().unwrap(),
        }
    }

    fn ask(&self, path: &str) -> JoinHandle<Response> {
        let client = reqwest::Client::builder().timeout(PATIENCE);
        let client = client.build().unwrap();
        let request = client.get(format!("{}/{path}", self.address));
        let request = request.header("x-team", "red");
        let request = request.header("accept", "application/x-ndjson");
        self.asking.spawn(async { request.send().await.unwrap() })
    }

    fn answer(&self, asked: JoinHandle<Response>) -> (u16, Value) {
        self.asking.block_on(async {
            let answer = asked.await.expect("it is answered");
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            (status, serde_json::from_str(&text).unwrap())
        })
    }

    /// The next page of a feed.
    fn page(&self, feed: &mut Response) -> String {
        self.asking.block_on(async {
            loop {
                let chunk = feed.chunk().await.unwrap().expect("the feed goes on");
                if chunk.len() > 1 {
                    return String::from_utf8(chunk.to_vec()).unwrap();
                }
            }
        })
    }

    /// What the database isn't needed for is answered.
    fn is_served(&self) {
        assert_eq!(self.answer(self.ask("openapi.json")).0, 200);
    }
}

/// Has every connection of the pool wait at the gate.
async fn arm(pool: &Pool, gate: &Arc<Gate>) {
    pool.resize(6);
    let mut all = Vec::new();
    for _ in 0..6 {
        let mut lent = pool.get().await.unwrap();
        let gate = Arc::clone(gate);
        lent.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event
                && query.to_string().contains("\"title\"")
            {
                gate.pass();
            }
        });
        all.push(lent);
    }
}

#[test]
fn a_page_that_takes_too_long_is_told_at_once_and_keeps_nobody() {
    let limits = Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    };
    for path in ["web/download", "web/feed"] {
        let gated = Gated::new(move |pool| routes(pool, limits));
        gated.gate.set(true);
        let asked = gated.ask(path);
        gated.gate.reached();
        let (status, said) = gated.answer(asked);
        assert_eq!(
            (status, said["code"].as_str()),
            (503, Some("time")),
            "{path}"
        );
        gated.is_served();
        gated.gate.set(false);
        let again = gated.asking.block_on(gated.ask(path)).unwrap();
        assert_eq!(again.status().as_u16(), 200, "{path}");
    }
}

#[test]
fn changes_that_take_long_to_read_keep_nobody() {
    let limits = Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    };
    let gated = Gated::new(move |pool| routes(pool, limits));
    let mut feed = gated.asking.block_on(gated.ask("web/feed")).unwrap();
    gated.page(&mut feed);
    gated.gate.set(true);
    let insert = "insert into notes (id, title, team) values ('n', 'new', 'red')";
    gated.server.connect().batch_execute(insert).unwrap();
    gated.gate.reached();
    let begun = Instant::now();
    while begun.elapsed() < 3 * limits.time {
        gated.is_served();
    }
    gated.gate.set(false);
    while !gated.page(&mut feed).contains("\"new\"") {}
}

/// The team of everybody, and how often somebody was asked for his.
#[derive(Clone)]
struct Teams(Arc<(Mutex<String>, AtomicUsize)>);

struct Mine(Team);

impl FromRequestParts<Teams> for Mine {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, teams: &Teams) -> Result<Self, Infallible> {
        let Teams(teams) = teams;
        teams.1.fetch_add(1, Ordering::SeqCst);
        Ok(Mine(Team::named(&teams.0.lock().unwrap())))
    }
}

impl From<Mine> for Team {
    fn from(Mine(team): Mine) -> Team {
        team
    }
}

#[test]
fn who_may_see_something_else_while_a_page_is_read_keeps_nobody() {
    let teams = Teams(Arc::new((Mutex::new("red".into()), AtomicUsize::new(0))));
    let (asked, (told, refresh)) = (teams.clone(), std::sync::mpsc::channel());
    let gated = Gated::new(move |pool| {
        let sync: Sync<Pool, Teams> =
            Sync::new(pool).group::<SyncGroup<(Note,), Team>, Mine>("web");
        told.send(sync.refresh()).unwrap();
        sync.router().with_state(asked)
    });
    let refresh = refresh.recv().unwrap();
    gated.gate.set(true);
    let feed = gated.ask("web/feed");
    gated.gate.reached();
    *teams.0.0.lock().unwrap() = "blue".into();
    let before = teams.0.1.load(Ordering::SeqCst);
    refresh.all();
    let begun = Instant::now();
    while teams.0.1.load(Ordering::SeqCst) == before {
        assert!(begun.elapsed() < PATIENCE, "nobody is asked");
        std::thread::yield_now();
    }
    gated.is_served();
    gated.gate.set(false);
    let mut feed = gated.asking.block_on(feed).unwrap();
    let page = gated.page(&mut feed);
    assert!(page.contains("else") && !page.contains("one"), "{page}");
}
