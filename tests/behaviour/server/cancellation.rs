//! What is dropped midway leaves nothing behind, wherever it is dropped: no transaction, no lock, no statement that goes on, no place taken.

use super::models::Note;
use super::world::routes;
use super::{AsyncConn, DROPS_ON_ONE_THREAD, Pool, Server};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use carburetor::SyncGroup;
use carburetor::change::Changes;
use carburetor::clock::Clock;
use carburetor::download::Timestamps;
use carburetor::outcome::Verdict;
use carburetor::server::Limits;
use carburetor::tracking::untracked_async;
use chrono::Utc;
use diesel::QueryResult;
use diesel::connection::InstrumentationEvent;
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use serde_json::json;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

type Admin = SyncGroup<(Note,)>;

/// More operations than any of these has.
const MANY: usize = 400;

/// How often an upload is dropped early.
const ROUNDS: usize = 150;

const PATIENCE: Duration = Duration::from_secs(60);

/// A runtime of the current thread.
const ONE: &str = "one thread";

fn runtimes() -> [(&'static str, Runtime); 2] {
    let one = Builder::new_current_thread().enable_all().build().unwrap();
    let several = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    [(ONE, one), ("several threads", several)]
}

/// Polls `future` so often, and then drops it; what it says if it is ready before.
async fn polled<F: Future>(mut times: usize, future: F) -> Option<F::Output> {
    let mut future = Some(Box::pin(future));
    poll_fn(|context| {
        let Some(polled) = &mut future else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(output) = polled.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        times -= 1;
        if times == 0 {
            future = None;
            return Poll::Ready(None);
        }
        Poll::Pending
    })
    .await
}

/// An insert of a row of its own, and an edit of one that is there.
pub(super) fn upload(id: &str) -> Vec<u8> {
    let millis = u64::try_from(Utc::now().timestamp_millis()).unwrap();
    let clock = |counter| Clock::new(millis, counter, 7).to_string();
    json!({"carburetor": 1, "changes": [
        {"table": "notes", "id": id, "clock": clock(0), "insert": {"id": id, "title": id, "team": "red"}},
        {"table": "notes", "id": "a", "clock": clock(1), "base": null, "update": {"title": id}},
    ]})
    .to_string()
    .into()
}

async fn quiet(server: &Arc<Server>, when: String) {
    let server = Arc::clone(server);
    let asking = spawn_blocking(move || server.is_quiet(PATIENCE));
    if let Some(left) = asking.await.unwrap() {
        panic!("left behind {when}: {left}");
    }
}

/// What is begun, and dropped.
#[derive(Debug, Clone, Copy)]
enum Work {
    Upload,
    Pages,
    Consistent,
    Json,
    Untracked,
}

impl Work {
    async fn run(self, conn: &mut AsyncConn, changes: &Changes) {
        let since = Timestamps::default;
        match self {
            Work::Upload => {
                Admin::upload_async(conn, changes).await.unwrap();
            }
            Work::Pages => {
                let mut pages = Admin::pages(since(), 2);
                while pages.next_json_async(conn).await.unwrap().is_some() {}
            }
            Work::Consistent => {
                Admin::download_consistent_async(conn, since())
                    .await
                    .unwrap();
            }
            Work::Json => {
                let told = &mut Vec::new();
                Admin::download_json_async(conn, since(), told)
                    .await
                    .unwrap();
            }
            Work::Untracked => {
                let written: QueryResult<()> = untracked_async(conn, async |conn| {
                    conn.batch_execute("update notes set title = 'u' where id = 'b'")
                        .await
                })
                .await;
                written.unwrap();
            }
        }
    }
}

#[test]
fn a_future_that_is_dropped_at_any_poll_leaves_nothing_open() {
    for (name, runtime) in runtimes() {
        let server = Arc::new(Server::new());
        let works = [
            Work::Upload,
            Work::Pages,
            Work::Consistent,
            Work::Json,
            Work::Untracked,
        ];
        runtime.block_on(async {
            let pool = server.pool(1);
            let mut polls = 0;
            for work in works {
                // What a program runs by itself on the wrapper of SQLite can't be dropped on one thread.
                if name == ONE && !DROPS_ON_ONE_THREAD && matches!(work, Work::Untracked) {
                    continue;
                }
                polls += drop_at_every_poll(&server, &pool, name, work).await;
            }
            // Some are broken off after they have begun.
            assert!(polls > works.len(), "{polls} polls, {name}");
        });
    }
}

/// Returns how many polls it takes.
async fn drop_at_every_poll(server: &Arc<Server>, pool: &Pool, name: &str, work: Work) -> usize {
    for times in 1..MANY {
        let id = format!("{name} {times}");
        let changes = Changes::read(&upload(&id)).unwrap();
        let mut conn = pool.get().await.unwrap();
        let done = polled(times, work.run(&mut conn, &changes)).await;
        drop(conn);
        quiet(server, format!("by {work:?} after {times} polls, {name}")).await;
        // The pool lends one that serves; and what was sent is answered, whether it was written or not.
        let mut conn = timeout(PATIENCE, pool.get()).await.unwrap().unwrap();
        if let Work::Upload = work {
            let told = Admin::upload_async(&mut *conn, &changes).await.unwrap();
            assert!(
                matches!(told.outcomes[0].verdict, Verdict::Applied),
                "{:?} after {times} polls",
                told.outcomes[0]
            );
            drop(conn);
            assert_eq!(server.count(&id), 1, "{id}");
        }
        if done.is_some() {
            return times;
        }
    }
    panic!("{work:?} takes more than {MANY} polls");
}

/// A statement is told to end while the rollback behind it is under way already, once in a while: that one must not be what ends.
#[test]
fn a_rollback_that_is_told_to_end_is_made_again() {
    for (name, runtime) in runtimes() {
        let server = Arc::new(Server::new());
        runtime.block_on(async {
            let pool = server.pool(1);
            for round in 0..ROUNDS {
                let times = 2 + round % 4;
                let id = format!("{name} {round}");
                let changes = Changes::read(&upload(&id)).unwrap();
                let mut conn = pool.get().await.unwrap();
                polled(times, Work::Upload.run(&mut conn, &changes)).await;
                quiet(&server, format!("in round {round}, {name}")).await;
            }
        });
    }
}

/// Drops the next request when so many statements have begun on the connection.
#[derive(Default)]
struct Cutter {
    left: AtomicUsize,
    cut: Mutex<Option<oneshot::Sender<()>>>,
    request: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Cutter {
    async fn arm(self: &Arc<Self>, pool: &Pool, statements: usize) {
        let mut lent = timeout(PATIENCE, pool.get()).await.unwrap().unwrap();
        let cutter = Arc::clone(self);
        lent.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                cutter.count();
            }
        });
        drop(lent);
        let (cut, request) = oneshot::channel();
        *self.cut.lock().unwrap() = Some(cut);
        *self.request.lock().unwrap() = Some(request);
        self.left.store(statements, Ordering::SeqCst);
    }

    fn disarm(&self) {
        *self.cut.lock().unwrap() = None;
    }

    fn count(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1
            && let Some(cut) = self.cut.lock().unwrap().take()
        {
            let _ = cut.send(());
        }
    }
}

async fn cut(State(cutter): State<Arc<Cutter>>, request: Request, next: Next) -> Response {
    let over = cutter.request.lock().unwrap().take();
    let over = async move {
        let said = match over {
            Some(over) => over.await.is_ok(),
            None => false,
        };
        if !said {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        () = over => StatusCode::IM_A_TEAPOT.into_response(),
        response = next.run(request) => response,
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Upload,
    Page,
    Lines,
    Feed,
}

/// A server whose requests can be dropped at each of their statements.
struct Cuttable {
    server: Arc<Server>,
    pool: Pool,
    cutter: Arc<Cutter>,
    address: String,
    client: reqwest::Client,
}

impl Cuttable {
    async fn serve(server: &Arc<Server>) -> Self {
        let pool = server.pool(1);
        // The one whose statements are counted.
        pool.resize(1);
        let limits = Limits {
            streams: 1,
            feeds: 1,
            readers: 1,
            ..Limits::default()
        };
        let cutter = Arc::new(Cutter::default());
        let app = routes(pool.clone(), limits);
        let app = app.layer(from_fn_with_state(Arc::clone(&cutter), cut));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Cuttable {
            server: Arc::clone(server),
            pool,
            cutter,
            address,
            client: reqwest::Client::new(),
        }
    }

    async fn ask(&self, asked: Asked, body: &[u8]) -> StatusCode {
        let url = |path| format!("{}/admin/{path}", self.address);
        let request = match asked {
            Asked::Upload => {
                let request = self.client.post(url("upload"));
                let request = request.header("content-type", "application/json");
                request.body(body.to_vec())
            }
            Asked::Page => self.client.get(url("download?limit=2")),
            Asked::Lines => {
                let request = self.client.get(url("download?limit=2"));
                request.header("accept", "application/x-ndjson")
            }
            Asked::Feed => {
                let request = self.client.get(url("feed?limit=2"));
                request.header("accept", "application/x-ndjson")
            }
        };
        // What comes after the head is not read: whoever asked goes away.
        request.send().await.unwrap().status()
    }

    async fn cut_at_every_statement(&self, name: &str, asked: Asked) {
        let is_feed = matches!(asked, Asked::Feed);
        // Whoever watches for a feed keeps a connection, whose statements were counted.
        for statements in 1..if is_feed { 9 } else { MANY } {
            let id = format!("{asked:?} {name} {statements}");
            let body = upload(&id);
            let cut = async {
                loop {
                    self.cutter.arm(&self.pool, statements).await;
                    let status = self.ask(asked, &body).await;
                    self.cutter.disarm();
                    // The answer of the one before was there a moment before its place was free.
                    if status != StatusCode::SERVICE_UNAVAILABLE {
                        return status;
                    }
                }
            };
            let status = timeout(PATIENCE, cut).await.expect(&id);
            let when = format!("by {asked:?} after {statements} statements, {name}: {status}");
            quiet(&self.server, when).await;
            assert!(
                status == StatusCode::IM_A_TEAPOT || status == StatusCode::OK,
                "{status}"
            );
            // Nobody keeps its place.
            let again = async {
                while self.ask(asked, &body).await == StatusCode::SERVICE_UNAVAILABLE {
                    tokio::task::yield_now().await;
                }
            };
            timeout(PATIENCE, again).await.expect(&id);
            if let Asked::Upload = asked {
                assert_eq!(self.server.count(&id), 1, "{id}");
            }
            if status == StatusCode::OK && !is_feed {
                assert!(statements > 3, "{asked:?} {statements}");
                return;
            }
        }
        assert!(is_feed, "{asked:?} takes more than {MANY} statements");
    }
}

#[test]
fn a_request_that_is_dropped_at_any_statement_leaves_nothing_behind() {
    for (name, runtime) in runtimes() {
        let server = Arc::new(Server::new());
        runtime.block_on(async {
            let served = Cuttable::serve(&server).await;
            for asked in [Asked::Upload, Asked::Page, Asked::Lines, Asked::Feed] {
                served.cut_at_every_statement(name, asked).await;
            }
        });
    }
}
