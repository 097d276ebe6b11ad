//! HTTP, by reqwest and rustls.

use super::problem::Problem;
use super::transport::{Transport, TransportError};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{Stream, try_unfold};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Response, Url};
use std::time::Duration;

/// How long a server may take until a connection stands, and between two pieces of an answer.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(60);

const LINES: &str = "application/x-ndjson";

/// From how many bytes on a token is too long for an address: many servers and proxies take 8 KiB of it.
const LONG: usize = 6 << 10;

/// The longest message that is taken.
const LONGEST: usize = 256 << 20;

/// A [`Transport`] to a group that a server of this library serves over HTTP.
///
#[doc = include_str!("../../docs/examples/http.md")]
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    group: Url,
}

impl Http {
    /// The group at `url`, for example `https://example.org/sync/web`.
    ///
    #[doc = include_str!("../../docs/examples/http.md")]
    ///
    /// # Errors
    ///
    /// Text that is no address of HTTP.
    pub fn new(url: &str) -> Result<Self, TransportError> {
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()
            .map_err(|error| TransportError::Offline(Box::new(error)))?;
        Self::with_client(client, url)
    }

    /// The same with a client of the program's own: its default headers say who asks, its timeouts hold.
    ///
    #[doc = include_str!("../../docs/examples/http.md")]
    ///
    /// # Errors
    ///
    /// Text that is no address of HTTP.
    pub fn with_client(client: Client, url: &str) -> Result<Self, TransportError> {
        let unreadable = |problem: String| {
            TransportError::Unreadable(format!("`{url}` is no address of a group: {problem}"))
        };
        let mut group = Url::parse(url).map_err(|error| unreadable(error.to_string()))?;
        if !matches!(group.scheme(), "http" | "https") {
            return Err(unreadable("write http:// or https:// before it".into()));
        }
        // What is joined to a path without a slash at its end takes the place of its last part.
        if !group.path().ends_with('/') {
            group.set_path(&format!("{}/", group.path()));
        }
        Ok(Http { client, group })
    }

    fn url(&self, path: &str) -> Result<Url, TransportError> {
        let joined = self.group.join(path);
        joined.map_err(|error| TransportError::Unreadable(error.to_string()))
    }

    /// The messages that the address `path` answers with, line by line.
    async fn pages(
        &self,
        path: &str,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send + use<>, TransportError>
    {
        let url = self.url(path)?;
        let (token, keys) = match since.and_then(|since| since.split_once('.')) {
            Some((token, keys)) => (Some(token), Some(keys)),
            None => (since, None),
        };
        let asked = match token.is_some_and(|token| token.len() > LONG) {
            true => self.ask_at_length(url.clone(), token, keys, limit).await,
            false => self.ask(url.clone(), token, keys.is_some(), limit).await,
        };
        let answered = match asked {
            Err(refused) if refused.is_of_keys() => {
                self.ask_at_length(url, token, keys, limit).await?
            }
            // A server of an earlier version.
            Err(TransportError::Refused { status: 405, .. }) => {
                self.ask(url, token, false, limit).await?
            }
            asked => asked?,
        };
        Ok(lines(answered))
    }

    /// Asks for pages; of the keys beside the token only that they are held.
    async fn ask(
        &self,
        mut url: Url,
        token: Option<&str>,
        holds_keys: bool,
        limit: u32,
    ) -> Result<Response, TransportError> {
        url.query_pairs_mut()
            .append_pair("limit", &limit.to_string());
        if let Some(token) = token {
            url.query_pairs_mut().append_pair("since", token);
        }
        if holds_keys {
            url.query_pairs_mut().append_pair("keys", "held");
        }
        answer(self.client.get(url).header(ACCEPT, LINES)).await
    }

    /// Asks for pages with what is too long for an address.
    async fn ask_at_length(
        &self,
        url: Url,
        token: Option<&str>,
        keys: Option<&str>,
        limit: u32,
    ) -> Result<Response, TransportError> {
        let asked = serde_json::json!({"since": token, "keys": keys, "limit": limit});
        let request = self.client.post(url).header(ACCEPT, LINES);
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .body(asked.to_string());
        answer(request).await
    }
}

impl Transport for Http {
    async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.pages("download", since, limit).await
    }

    async fn feed(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.pages("feed", since, limit).await
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let request = self.client.post(self.url("upload")?);
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .body(changes);
        answer(request).await?.bytes().await.map_err(offline)
    }
}

fn offline(error: reqwest::Error) -> TransportError {
    // The address may hold a token.
    TransportError::Offline(Box::new(error.without_url()))
}

/// The answer to a request, unless it is a refusal.
async fn answer(request: RequestBuilder) -> Result<Response, TransportError> {
    let response = request.send().await.map_err(offline)?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.bytes().await.unwrap_or_default();
    Err(Problem::read(&body).refused(status.as_u16()))
}

/// The lines of an answer, each as soon as it is whole.
fn lines(response: Response) -> impl Stream<Item = Result<Bytes, TransportError>> + Send {
    struct Lines {
        response: Response,
        /// What has come of the next line.
        buffer: BytesMut,
        /// How much of it holds no end of a line.
        searched: usize,
    }
    let lines = Lines {
        response,
        buffer: BytesMut::new(),
        searched: 0,
    };
    try_unfold(lines, |mut lines| async move {
        loop {
            let unsearched = &lines.buffer[lines.searched..];
            if let Some(end) = unsearched.iter().position(|byte| *byte == b'\n') {
                let mut line = lines.buffer.split_to(lines.searched + end + 1);
                line.truncate(line.len() - 1);
                lines.searched = 0;
                if line.is_empty() {
                    continue;
                }
                return Ok(Some((line.freeze(), lines)));
            }
            lines.searched = lines.buffer.len();
            if lines.searched > LONGEST {
                let problem = format!("a message is longer than {} MiB", LONGEST >> 20);
                return Err(TransportError::Unreadable(problem));
            }
            match lines.response.chunk().await.map_err(offline)? {
                Some(chunk) => lines.buffer.extend_from_slice(&chunk),
                // A last line without an end was cut off.
                None => return Ok(None),
            }
        }
    })
}
