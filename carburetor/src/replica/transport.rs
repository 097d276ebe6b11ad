//! How messages get to a server and back.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, Stream, StreamExt, TryFutureExt};
use std::fmt;

/// The way to one group at one server, as one account.
///
#[doc = include_str!("../../docs/examples/transport.md")]
pub trait Transport: Send + Sync + 'static {
    /// All pages from the token `since` on (from the beginning without one), of at most `limit` rows each. Each item is a whole message,
    /// "Download" of PROTOCOL.md with the member `more`. What follows a point in the token are the keys of a scope of many; PROTOCOL.md says how they travel where an
    /// address has no room for them. What ends with `more: false` is of one instant when all since the last such are taken together.
    fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> impl Future<
        Output = Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError>,
    > + Send;

    /// As `download`, without an end: after `more: false` it waits for what changes within the scope. The first message comes at once, even if it
    /// says nothing new. A stream that ends is opened again after a pause.
    ///
    /// Without a feed of its own it is `download`: [`run`](super::Replica::run) then sees it end after `more: false`, and asks again after its
    /// pauses, in which it is [`Offline`](super::Phase::Offline).
    fn feed(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> impl Future<
        Output = Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError>,
    > + Send {
        Transport::download(self, since, limit)
    }

    /// Sends the message "Upload", and returns the message "Outcomes".
    fn upload(
        &self,
        changes: Vec<u8>,
    ) -> impl Future<Output = Result<Bytes, TransportError>> + Send;
}

/// Why a message didn't get to the server, or its answer back.
///
/// ```
/// use carburetor::replica::TransportError;
/// let error = TransportError::Refused {
///     status: 401,
///     code: "unauthorized".into(),
///     detail: "who are you?".into(),
///     remedy: "sign in".into(),
///     server_time: None,
/// };
/// assert_eq!(error.to_string(), "the server refuses (401 unauthorized): who are you?; sign in");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum TransportError {
    /// The server can't be reached: try again later.
    Offline(Box<dyn std::error::Error + Send + Sync>),
    /// The server refuses the request.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The reason, for programs. `clock_ahead`, `copied` and `token` are what a replica mends itself.
        code: String,
        /// The reason, for people.
        detail: String,
        /// What to do.
        remedy: String,
        /// The server's time, which the replica follows after `clock_ahead`.
        server_time: Option<DateTime<Utc>>,
    },
    /// The answer is no message.
    Unreadable(String),
    /// The text is no address of a group.
    Address {
        /// The text, without who asks.
        url: String,
        /// What is wrong with it, and what to write.
        problem: String,
    },
    /// The program couldn't say who asks.
    Credentials(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransportError::Offline(error) => write!(f, "the server can't be reached: {error}"),
            TransportError::Refused {
                status,
                code,
                detail,
                remedy,
                ..
            } => {
                let code = if code.is_empty() {
                    ""
                } else {
                    &format!(" {code}")
                };
                write!(f, "the server refuses ({status}{code}): {detail}")?;
                match remedy.is_empty() {
                    true => Ok(()),
                    false => write!(f, "; {remedy}"),
                }
            }
            TransportError::Unreadable(problem) => {
                write!(f, "the server's answer can't be read: {problem}")
            }
            TransportError::Address { url, problem } => {
                write!(f, "`{url}` is no address of a group: {problem}")
            }
            TransportError::Credentials(error) => {
                write!(f, "the program has no credentials for the server: {error}")
            }
        }
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TransportError::Offline(error) | TransportError::Credentials(error) => Some(&**error),
            _ => None,
        }
    }
}

impl TransportError {
    /// The message is more than the server takes at once.
    pub(super) fn is_too_much(&self) -> bool {
        matches!(self, TransportError::Refused { status: 413, .. })
    }

    /// The clocks of the message are ahead of the server's, or another replica's.
    pub(super) fn is_of_clocks(&self) -> bool {
        matches!(self, TransportError::Refused { code, .. } if matches!(&**code, "clock_ahead" | "copied"))
    }

    /// The server wants the keys that came beside the token.
    #[cfg(feature = "http")]
    pub(super) fn is_of_keys(&self) -> bool {
        matches!(self, TransportError::Refused { code, .. } if code == "keys")
    }

    /// It isn't for what was sent: there is no line, nobody who asks, or the server is away.
    pub(super) fn is_of_all(&self) -> bool {
        match self {
            TransportError::Offline(_) | TransportError::Credentials(_) => true,
            TransportError::Refused { status, code, .. } => {
                matches!(status, 401 | 429 | 502 | 503 | 504) && code != "time"
            }
            TransportError::Unreadable(_) | TransportError::Address { .. } => false,
        }
    }

    pub(super) fn is_of_token(&self) -> bool {
        matches!(self, TransportError::Refused { code, .. } if code == "token")
    }
}

/// The messages of a download.
pub(super) type Lines<'a> = BoxStream<'a, Result<Bytes, TransportError>>;

/// A [`Transport`] of any type, so that a replica need not name it.
pub(super) trait AnyTransport: Send + Sync {
    fn download<'a>(
        &'a self,
        since: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Lines<'a>, TransportError>>;

    fn feed<'a>(
        &'a self,
        since: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Lines<'a>, TransportError>>;

    fn upload(&self, changes: Vec<u8>) -> BoxFuture<'_, Result<Bytes, TransportError>>;
}

impl<X: Transport> AnyTransport for X {
    fn download<'a>(
        &'a self,
        since: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Lines<'a>, TransportError>> {
        Transport::download(self, since, limit)
            .map_ok(StreamExt::boxed)
            .boxed()
    }

    fn feed<'a>(
        &'a self,
        since: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Lines<'a>, TransportError>> {
        Transport::feed(self, since, limit)
            .map_ok(StreamExt::boxed)
            .boxed()
    }

    fn upload(&self, changes: Vec<u8>) -> BoxFuture<'_, Result<Bytes, TransportError>> {
        Transport::upload(self, changes).boxed()
    }
}
