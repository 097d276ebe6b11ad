//! A program that serves, and what asks it.

use super::document;
use carburetor::server::{Patient, Shutdown, serve};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

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
        Self::listen(app, |listener, app| async move {
            axum::serve(listener, app).await.unwrap();
        })
    }

    /// The same until it goes down, by axum's server with connections that end where nobody reads.
    pub(super) fn start_until(app: axum::Router, shutdown: &Shutdown) -> Self {
        let shutdown = shutdown.clone();
        Self::listen(
            || app,
            |listener, app| async move {
                let begun = shutdown.clone();
                axum::serve(Patient::new(listener, &shutdown), app)
                    .with_graceful_shutdown(async move { begun.begun().await })
                    .await
                    .unwrap();
            },
        )
    }

    /// The same by the library's own server, until it goes down.
    pub(super) fn serve(app: axum::Router, shutdown: &Shutdown) -> Self {
        let shutdown = shutdown.clone();
        Self::listen(
            || app,
            |listener, app| async move { serve(listener, app, &shutdown).await },
        )
    }

    fn listen<F>(
        app: impl FnOnce() -> axum::Router,
        serve: impl FnOnce(TcpListener, axum::Router) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = Runtime::new().unwrap();
        let (address, serving) = {
            let _inside = runtime.enter();
            let app = axum::Router::new().nest("/sync", app());
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
            let listener = listener.unwrap();
            let address = listener.local_addr().unwrap();
            let serving = tokio::spawn(serve(listener, app));
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

    pub(super) fn has_ended(&self) -> bool {
        self.serving.is_finished()
    }

    /// Waits until nothing is served any more.
    pub(super) fn ended(&mut self) {
        let serving = &mut self.serving;
        let ended = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, serving).await });
        ended.expect("it ends in time").unwrap();
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
        let request = client.post(self.url(path)).body(body);
        self.ask(
            "post",
            path,
            request.header("content-type", "application/json"),
        )
    }

    /// What is answered to a request that says more in its headers.
    pub(super) fn send(&self, request: RequestBuilder) -> Response {
        self.runtime.block_on(request.send()).unwrap()
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

/// A feed, as it comes.
pub(super) struct Feed {
    response: Response,
    buffer: Vec<u8>,
}

/// How long a page may take to come, however often the feed says that it stands.
const PATIENCE: Duration = Duration::from_secs(80);

impl Feed {
    /// A feed of lines.
    pub(super) fn lines(program: &Program, team: &str, path: &str) -> Self {
        Self::try_lines(program, team, path).expect("the feed opens")
    }

    /// The same, unless it is refused.
    pub(super) fn try_lines(program: &Program, team: &str, path: &str) -> Option<Self> {
        Self::open(program, team, path, &[("accept", "application/x-ndjson")])
    }

    /// A feed of events.
    pub(super) fn events(program: &Program, team: &str, path: &str, last: Option<&str>) -> Self {
        let last = last.map(|last| ("last-event-id", last));
        let feed = Self::open(program, team, path, last.as_slice()).expect("the feed opens");
        assert_eq!(feed.response.headers()["content-type"], "text/event-stream");
        feed
    }

    fn open(program: &Program, team: &str, path: &str, headers: &[(&str, &str)]) -> Option<Self> {
        let request = headers.iter().fold(
            program.client(team).get(program.url(path)),
            |request, (name, value)| request.header(*name, *value),
        );
        let response = program.runtime.block_on(request.send()).unwrap();
        if !response.status().is_success() {
            return None;
        }
        assert_eq!(response.headers()["cache-control"], "private, no-store");
        Some(Feed {
            response,
            buffer: Vec::new(),
        })
    }

    /// The next line, if it comes before `deadline`; none when the feed has ended.
    fn line(&mut self, program: &Program, deadline: Instant) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(String::from_utf8(line).unwrap().trim_end().to_owned());
            }
            let response = &mut self.response;
            let chunk = program
                .runtime
                .block_on(async { timeout_at(deadline, response.chunk()).await });
            self.buffer
                .extend_from_slice(&chunk.expect("it comes in time").unwrap()?);
        }
    }

    /// The next page.
    pub(super) fn next(&mut self, program: &Program) -> Option<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self.line(program, deadline)?;
            if !line.is_empty() {
                return Some(serde_json::from_str(&line).unwrap());
            }
        }
    }

    /// Waits until it is cut off, whatever comes before.
    pub(super) fn breaks(mut self, program: &Program) {
        let broken = async {
            while self
                .response
                .chunk()
                .await
                .is_ok_and(|chunk| chunk.is_some())
            {}
        };
        program
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, broken).await })
            .expect("it ends in time");
    }

    /// The id and the page of the next event.
    pub(super) fn event(&mut self, program: &Program) -> Option<(String, Value)> {
        let (mut id, mut page) = (String::new(), Value::Null);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self.line(program, deadline)?;
            match line.split_once(": ") {
                Some(("id", value)) => id = value.to_owned(),
                Some(("event", value)) => assert_eq!(value, "page"),
                Some(("data", value)) => page = serde_json::from_str(value).unwrap(),
                Some(("retry", value)) => assert!((1000..5000).contains(&value.parse().unwrap())),
                _ if line.is_empty() && !page.is_null() => return Some((id, page)),
                _ => {}
            }
        }
    }
}

type Stream = tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>;

/// A feed over a web socket.
#[derive(Debug)]
pub(super) struct Socket(pub(super) Stream);

impl Program {
    /// A team's feed in its three forms, each of which has said what there is.
    pub(super) fn feeds(&self, team: &str, path: &str) -> (Feed, Feed, Socket) {
        let mut lines = Feed::lines(self, team, path);
        let mut events = Feed::events(self, team, path, None);
        let mut socket = self.socket(team, path, None).unwrap();
        lines.next(self).unwrap();
        events.event(self).unwrap();
        socket.next(self).unwrap();
        (lines, events, socket)
    }

    /// Opens a web socket, as a page of the site `origin` does; the status of a refusal.
    pub(super) fn socket(
        &self,
        team: &str,
        path: &str,
        origin: Option<&str>,
    ) -> Result<Socket, u16> {
        use tokio_tungstenite::tungstenite::client::IntoClientRequest;
        let mut request = self
            .url(path)
            .replacen("http", "ws", 1)
            .into_client_request()
            .unwrap();
        let headers = request.headers_mut();
        headers.insert("x-team", team.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().unwrap());
        }
        self.runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
            match tokio_tungstenite::client_async(request, stream).await {
                Ok((socket, _)) => Ok(Socket(socket)),
                Err(tokio_tungstenite::tungstenite::Error::Http(refusal)) => {
                    Err(refusal.status().as_u16())
                }
                Err(error) => panic!("{error}"),
            }
        })
    }
}

impl Socket {
    /// The next page; none when the feed has ended.
    pub(super) fn next(&mut self, program: &Program) -> Option<Value> {
        let text = program
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, self.text()).await });
        let text = text.expect("it comes in time")?;
        Some(serde_json::from_str(&text).unwrap())
    }

    /// The code that the feed is closed with, whatever comes before.
    pub(super) fn closed(&mut self, program: &Program) -> Option<u16> {
        use futures_util::StreamExt;
        use tokio_tungstenite::tungstenite::Message;
        program.runtime.block_on(async {
            loop {
                if let Message::Close(frame) = self.0.next().await?.ok()? {
                    return frame.map(|frame| frame.code.into());
                }
            }
        })
    }

    /// The next text.
    pub(super) async fn text(&mut self) -> Option<String> {
        use futures_util::StreamExt;
        use tokio_tungstenite::tungstenite::Message;
        loop {
            match self.0.next().await?.unwrap() {
                Message::Text(text) => return Some(text.as_str().to_owned()),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }
}
