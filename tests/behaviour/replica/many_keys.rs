//! A device whose scope has five thousand keys, over HTTP, where an address has room for 8 KiB.

use super::super::device::{Folder, Group};
use super::Server;
use super::models::{Chore, Note, Price, Seat};
use super::world::{Row, Teams, notes_in};
use axum::Extension;
use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use carburetor::SyncGroup;
use carburetor::replica::{Http, Phase, Replica};
use carburetor::server::{Sync, sqlite_pool};
use diesel::sqlite::SqliteConnection;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Served = SyncGroup<(Note, Seat, Price, Chore), Teams>;

/// The teams of the caller, which change while the program runs.
#[derive(Clone, Default)]
struct Members(Arc<Mutex<Vec<String>>>);

impl Members {
    fn set(&self, teams: Vec<String>) {
        *self.0.lock().unwrap() = teams;
    }
}

struct Caller(Vec<String>);

impl From<Caller> for Teams {
    fn from(caller: Caller) -> Self {
        Teams(caller.0)
    }
}

impl<St: Send + std::marker::Sync> FromRequestParts<St> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &St) -> Result<Self, Infallible> {
        let members = parts.extensions.get::<Members>().unwrap();
        Ok(Caller(members.0.lock().unwrap().clone()))
    }
}

/// What stands before many a server.
async fn narrow(request: Request, next: Next) -> Response {
    let line = request.uri().to_string().len();
    let headers = request.headers().values().map(|value| value.len());
    match line.max(headers.max().unwrap_or(0)) > 8 << 10 {
        true => StatusCode::URI_TOO_LONG.into_response(),
        false => next.run(request).await,
    }
}

fn team(number: usize) -> String {
    format!("67e55044-10b1-426f-9247-{number:012}")
}

/// Five thousand of them, from this one on.
fn teams(first: usize) -> Vec<String> {
    (first..first + 5000).map(team).collect()
}

struct Program {
    address: SocketAddr,
    members: Members,
}

impl Program {
    async fn start(server: &Server) -> Self {
        let pool = sqlite_pool(&server.path()).unwrap();
        let members = Members::default();
        members.set(teams(0));
        let app = Sync::new(pool).group::<Served, Caller>("web").router();
        let app = app.layer(from_fn(narrow)).layer(Extension(members.clone()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Program { address, members }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/web{path}", self.address)
    }

    fn device(&self, folder: &Folder) -> Replica<Group> {
        folder.open(Http::new(&self.url("")).unwrap()).unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let asked = reqwest::get(self.url(path)).await.unwrap();
        assert!(asked.status().is_success(), "{}", asked.status());
        serde_json::from_str(&asked.text().await.unwrap()).unwrap()
    }
}

/// A note of the first team, one of the last, and one of the next.
fn server() -> Server {
    let server = Server::new();
    for (id, number) in [("a", 1), ("b", 0), ("c", 5000)] {
        add(&server, id, number);
    }
    server
}

fn add(server: &Server, id: &str, number: usize) {
    server.run(&format!(
        "insert into notes (id, title, team) values ('{id}', '{id}', '{}')",
        team(number)
    ));
}

fn ids(notes: Vec<Row>) -> Vec<String> {
    notes.into_iter().map(|note| note.0).collect()
}

async fn live(replica: &Replica<Group>) {
    let mut statuses = pin!(replica.status());
    while statuses.next().await.unwrap().phase != Phase::Live {}
}

async fn until(conn: &mut SqliteConnection, expected: &[&str]) {
    for _ in 0..2000 {
        if ids(notes_in(conn)) == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(ids(notes_in(conn)), expected);
}

#[test]
fn a_scope_of_five_thousand_keys_syncs_again_and_its_changes_are_told_exactly() {
    let server = server();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let program = Program::start(&server).await;
        let folder = Folder::new();
        let replica = program.device(&folder);
        let mut conn = replica.connection().unwrap();
        let first = replica.sync().await.unwrap();
        assert_eq!(
            (first.rows, ids(notes_in(&mut conn))),
            (2, vec!["a".into(), "b".into()])
        );
        let second = replica.sync().await.unwrap();
        assert_eq!(second.rows, 0);
        add(&server, "d", 4999);
        assert_eq!(replica.sync().await.unwrap().rows, 1);
        // One team is left: no table begins again.
        program.members.set(teams(0)[1..].to_vec());
        let third = replica.sync().await.unwrap();
        assert_eq!(
            (third.rows, ids(notes_in(&mut conn))),
            (0, vec!["a".into(), "d".into()])
        );
        // By pages a table begins again where one has joined, however few there are.
        program.members.set(teams(1));
        replica.sync().await.unwrap();
        assert_eq!(ids(notes_in(&mut conn)), ["a", "c", "d"]);
        assert_eq!(replica.sync().await.unwrap().rows, 0);
        // Of less than many.
        program.members.set(vec![team(1)]);
        let fourth = replica.sync().await.unwrap();
        assert_eq!(
            (fourth.rows, ids(notes_in(&mut conn))),
            (0, vec!["a".into()])
        );
        program.members.set(teams(0));
        replica.sync().await.unwrap();
        assert_eq!(ids(notes_in(&mut conn)), ["a", "b", "d"]);
    });
}

#[test]
fn a_feed_of_five_thousand_keys_goes_on_after_they_have_changed() {
    let server = server();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let program = Program::start(&server).await;
        let folder = Folder::new();
        let replica = program.device(&folder);
        let mut conn = replica.connection().unwrap();
        let seen = async {
            live(&replica).await;
            add(&server, "d", 7);
            until(&mut conn, &["a", "b", "d"]).await;
        };
        tokio::select! {
            ended = replica.run() => panic!("{ended:?}"),
            () = seen => {}
        }
        program.members.set(teams(1));
        let seen = async {
            until(&mut conn, &["a", "c", "d"]).await;
            add(&server, "e", 5000);
            until(&mut conn, &["a", "c", "d", "e"]).await;
        };
        tokio::select! {
            ended = replica.run() => panic!("{ended:?}"),
            () = seen => {}
        }
        replica.sync().await.unwrap();
    });
}

#[test]
fn a_client_that_knows_nothing_of_keys_gets_on_with_short_tokens() {
    let server = server();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let program = Program::start(&server).await;
        let first = program.get("/download").await;
        let next = first["next"].as_str().unwrap();
        assert!(next.len() < 2048, "{}", next.len());
        assert!(first["keys"].as_str().unwrap().len() > 100_000);
        let second = program.get(&format!("/download?since={next}")).await;
        assert_eq!(second["tables"]["notes"]["reset"], json!(false));
        // They are told where they are others than before.
        assert!(second["keys"].is_null());
        // A reader that holds them is asked for them, one that doesn't begins that table again.
        program.members.set(teams(0)[1..].to_vec());
        let third = program.get(&format!("/download?since={next}")).await;
        assert_eq!(third["tables"]["notes"]["reset"], json!(true));
        assert_eq!(third["tables"]["chores"]["reset"], json!(false));
        assert!(third["keys"].is_string() && third["keys"] != first["keys"]);
        let held = reqwest::get(program.url(&format!("/download?since={next}&keys=held"))).await;
        let held = held.unwrap();
        assert_eq!(held.status(), 409);
        assert!(held.text().await.unwrap().contains("\"code\":\"keys\""));
        let told = |keys: Value| {
            let body = json!({"since": next, "keys": keys, "limit": 100});
            let request = reqwest::Client::new().post(program.url("/download"));
            let request = request.header("content-type", "application/json");
            async move {
                let said = request.body(body.to_string()).send().await.unwrap();
                let said = said.text().await.unwrap();
                serde_json::from_str::<Value>(&said).unwrap()
            }
        };
        let exact = told(first["keys"].clone()).await;
        let notes = &exact["tables"]["notes"];
        assert_eq!(notes["reset"], json!(false));
        assert_eq!(notes["left"]["values"], json!([team(0)]));
        assert_eq!(notes["rows"], json!([]));
        assert!(exact["keys"] == third["keys"]);
        // Those of another token are none.
        let other = told(third["keys"].clone()).await;
        assert_eq!(other["tables"]["notes"]["reset"], json!(true));
        let nonsense = told(json!("no keys")).await;
        assert_eq!(nonsense["code"], json!("token"));
    });
}

#[test]
fn a_body_that_is_not_said_to_be_json_is_refused() {
    let server = server();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let program = Program::start(&server).await;
        let request = reqwest::Client::new().post(program.url("/download"));
        let said = request.body("{}").send().await.unwrap();
        assert_eq!(said.status(), 415);
        assert!(said.text().await.unwrap().contains("\"code\":\"type\""));
    });
}
