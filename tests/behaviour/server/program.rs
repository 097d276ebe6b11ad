//! A program that serves, and what asks it.

use super::document;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::OnceLock;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// The table of the suite, on the server.
pub(super) const TABLES: &str = "create table notes (id text primary key, title text not null, team text not null);
insert into notes (id, title, team) values ('a', 'one', 'red'), ('b', 'two', 'red'), ('x', 'else', 'blue')";

macro_rules! note {
    ($stamp:ident, $backend:ident) => {
        diesel::table! {
            notes (id) { id -> Text, title -> Text, team -> Text, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, diesel::Queryable, carburetor::SyncTable)]
        #[diesel(table_name = notes)]
        #[sync(backends($backend))]
        pub struct Note {
            pub id: String,
            pub title: String,
            #[sync(visible_by)]
            pub team: String,
            #[sync(last_synced_at)]
            pub at: chrono::DateTime<chrono::Utc>,
        }
    };
}
pub(super) use note;

/// The model of a device.
pub(super) mod device {
    super::note!(TimestamptzSqlite, sqlite);
}

/// A program that listens.
pub(super) struct Program {
    pub(super) runtime: Runtime,
    pub(super) address: SocketAddr,
    serving: JoinHandle<()>,
    document: OnceLock<Value>,
}

impl Program {
    /// Serves what `app` makes, on a port that is free.
    pub(super) fn start(app: impl FnOnce() -> axum::Router) -> Self {
        let runtime = Runtime::new().unwrap();
        let (address, serving) = {
            let _inside = runtime.enter();
            let app = axum::Router::new().nest("/sync", app());
            let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
            let listener = listener.unwrap();
            let address = listener.local_addr().unwrap();
            let serving = tokio::spawn(async move {
                axum::serve(listener, app).await.unwrap();
            });
            (address, serving)
        };
        Program {
            runtime,
            address,
            serving,
            document: OnceLock::new(),
        }
    }

    /// What the server says of itself.
    pub(super) fn document(&self) -> &Value {
        self.document.get_or_init(|| {
            self.runtime.block_on(async {
                let asked = reqwest::get(self.url("openapi.json")).await.unwrap();
                serde_json::from_str(&asked.text().await.unwrap()).unwrap()
            })
        })
    }

    pub(super) fn stop(&self) {
        self.serving.abort();
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}/sync/{path}", self.address)
    }

    /// A client whose every request says that it is of `team`.
    pub(super) fn client(&self, team: &str) -> Client {
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("x-team", team.parse().unwrap());
        let _inside = self.runtime.enter();
        Client::builder().default_headers(headers).build().unwrap()
    }

    pub(super) fn get(&self, client: &Client, path: &str) -> (StatusCode, Value) {
        self.ask("get", path, client.get(self.url(path)))
    }

    pub(super) fn post(&self, client: &Client, path: &str, body: Vec<u8>) -> (StatusCode, Value) {
        self.ask("post", path, client.post(self.url(path)).body(body))
    }

    fn ask(&self, method: &str, path: &str, request: RequestBuilder) -> (StatusCode, Value) {
        let (status, said) = self
            .runtime
            .block_on(async { said(request.send().await.unwrap()).await });
        document::covers(self.document(), method, path, status.as_u16(), &said);
        (status, said)
    }
}

/// The status and the JSON of an answer.
async fn said(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let kind = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    let text = response.text().await.unwrap();
    if !status.is_success() {
        assert_eq!(kind, "application/problem+json", "{text}");
    }
    let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (status, json)
}
