//! HTTP, by reqwest and rustls.

mod address;
mod failure;
mod header;
mod lines;
mod redirect;

pub use header::Renewal;

use super::transport::{Transport, TransportError};
use bytes::Bytes;
use failure::{foreign, refused, unreached};
use futures_util::stream::Stream;
use header::Header;
use lines::lines;
use redirect::Redirect;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How long a server may take until a connection stands, and between two pieces of an answer.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(60);

const LINES: &str = "application/x-ndjson";
const JSON: &str = "application/json";

/// From how many bytes on a token is too long for an address: many servers and proxies take 8 KiB of it.
const LONG: usize = 6 << 10;

/// A [`Transport`] to a group that a server of this library serves over HTTP. Clones are one.
///
/// Redirects are followed, an upload's as an upload, within the same host and from `http` to `https`. One that leads elsewhere is refused with an
/// error that names the new address: what is sent, and who sends it, is no other host's business.
///
#[doc = include_str!("../../docs/examples/http.md")]
#[derive(Clone)]
pub struct Http {
    client: Client,
    /// Where the group is; a redirect for good moves it.
    group: Arc<RwLock<Url>>,
    headers: Vec<Header>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("group", &self.group().as_str())
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
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
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| TransportError::Offline(Box::new(error)))?;
        Self::with_client(client, url)
    }

    /// The same with a client of the program's own: its default headers say who asks, its timeouts hold. Build it with
    /// `redirect(reqwest::redirect::Policy::none())`: one that follows redirects by itself makes a GET of an upload's POST, and takes headers of
    /// the program's own along to other hosts.
    ///
    #[doc = include_str!("../../docs/examples/http.md")]
    ///
    /// # Errors
    ///
    /// Text that is no address of HTTP.
    pub fn with_client(client: Client, url: &str) -> Result<Self, TransportError> {
        Ok(Http {
            client,
            group: Arc::new(RwLock::new(address::group(url)?)),
            headers: Vec::new(),
        })
    }

    /// Each request has the header `name`, for example `authorization` with a token that runs out. Before each of them `value` is asked for it
    /// ([`Renewal::AtHand`]), and once more when the server has refused that with 401 ([`Renewal::Anew`]); then the request is sent again.
    ///
    /// An error of `value` is [`TransportError::Credentials`]: the request is not sent, and the obstacle has the cause
    /// [`Unauthorized`](crate::replica::Cause::Unauthorized), as after a second 401. A 403 is of this cause,
    /// too, but asks for no other value: the server knows who it is, and doesn't let it in. All of them are tried
    /// again with the usual pauses, and `value` is asked each time, so that a program which has signed in again goes on by itself.
    /// A feed that is open keeps the header that it began with. A server whose extractor checks a token that
    /// runs out ends the feed when it asks again, within a minute ([`Limits::scope_time`](crate::server::Limits)); the replica then
    /// opens another one, for which `value` is asked, and renewed after a 401.
    ///
    #[doc = include_str!("../../docs/examples/http_header.md")]
    #[must_use]
    pub fn header<F, V>(mut self, name: HeaderName, value: F) -> Self
    where
        F: Fn(Renewal) -> V + Send + Sync + 'static,
        V: Future<Output = Result<HeaderValue, Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + 'static,
    {
        self.headers.push(Header::new(name, value));
        self
    }

    fn group(&self) -> Url {
        let group = self.group.read().unwrap_or_else(PoisonError::into_inner);
        group.clone()
    }

    fn url(&self, path: &str) -> Result<Url, TransportError> {
        let joined = self.group().join(path);
        joined.map_err(|error| TransportError::Unreadable(error.to_string()))
    }

    /// The answer to a request, wherever it leads, unless it is a refusal.
    async fn answer(
        &self,
        mut url: Url,
        request: impl Fn(Url) -> RequestBuilder,
    ) -> Result<Response, TransportError> {
        let mut renewal = Renewal::AtHand;
        let mut redirect = Redirect::default();
        loop {
            let mut request = request(url.clone());
            for header in &self.headers {
                request = header.add(request, renewal).await?;
            }
            let sent = request.send().await;
            let response = sent.map_err(|error| unreached(&url, error))?;
            let status = response.status();
            if let Some(next) = redirect.next(&url, &response)? {
                if redirect.is_for_good(status) {
                    self.move_to(&url, &next);
                }
                url = next;
            } else if status.is_success() {
                return match foreign(&url, &response) {
                    Some(error) => Err(error),
                    None => Ok(response),
                };
            } else if status == StatusCode::UNAUTHORIZED
                && renewal == Renewal::AtHand
                && !self.headers.is_empty()
            {
                renewal = Renewal::Anew;
            } else {
                let body = response.bytes().await.unwrap_or_default();
                return Err(refused(&url, status, &body));
            }
        }
    }

    /// From now on the group is where the redirect leads, if that is the same resource.
    fn move_to(&self, from: &Url, to: &Url) {
        let resource = from.path().rsplit('/').next().unwrap_or_default();
        if let Some(path) = to.path().strip_suffix(resource) {
            let mut group = to.clone();
            group.set_path(path);
            group.set_query(None);
            *self.group.write().unwrap_or_else(PoisonError::into_inner) = group;
        }
    }

    /// The messages that the address `path` answers with, line by line.
    async fn pages(
        &self,
        path: &str,
        since: Option<&str>,
        limit: u32,
        silence: Option<Duration>,
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
        Ok(lines(answered, silence))
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
        let request = |url| self.client.get(url).header(ACCEPT, LINES);
        self.answer(url, request).await
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
        let asked = Bytes::from(asked.to_string());
        let request = |url| {
            let request = self.client.post(url).header(ACCEPT, LINES);
            let request = request.header(CONTENT_TYPE, JSON);
            request.body(asked.clone())
        };
        self.answer(url, request).await
    }
}

impl Transport for Http {
    async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.pages("download", since, limit, None).await
    }

    async fn feed(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        // A server says something every 15 s; the program's own client may wait for ever.
        self.pages("feed", since, limit, Some(SILENCE)).await
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let changes = Bytes::from(changes);
        let request = |url| {
            let request = self.client.post(url);
            let request = request.header(CONTENT_TYPE, JSON);
            request.body(changes.clone())
        };
        let url = self.url("upload")?;
        let answer = self.answer(url.clone(), request).await?;
        let answer = answer.bytes().await;
        answer.map_err(|error| unreached(&url, error))
    }
}
