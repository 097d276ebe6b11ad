//! Why a request was refused: problem+json.

use crate::clip;
use crate::download::DownloadError;
use crate::refusal::Refusal;
use crate::upload::UploadError;
use crate::wire::WireError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use std::fmt;

/// Why a request was refused. It never holds SQL, nor anything of a row.
///
/// | code | status | |
/// |---|---|---|
/// | `message` | 400 | the body is no upload of this version |
/// | `token` | 400 | `since` is no token of this version |
/// | `query` | 400 | another parameter can't be read |
/// | `origin` | 403 | a page of another site asks for an upload or a web socket |
/// | `method` | 405 | the path takes another method |
/// | `slow` | 408 | the body took longer to come than a request may |
/// | `keys` | 409 | the scope's keys have changed since the token: whoever holds those that came with it sends them in a POST |
/// | `clock_ahead` | 409 | a change's clock is too far ahead; `server_time` is the server's |
/// | `copied` | 409 | another change had this clock |
/// | `body` | 413 | more bytes than an upload may have |
/// | `batch` | 413 | more changes than an upload may have, or more bytes of rows than it may be answered with |
/// | `type` | 415 | the body is not `application/json`, or not in UTF-8 |
/// | `encoding` | 415 | it is compressed, and no layer in front has taken that apart |
/// | `upgrade` | 426 | a web socket is asked for otherwise than one is opened |
/// | `setup` | 500 | the database is not as the server needs it: a table, a column, a right or the tracking is missing; the log says which |
/// | `server` | 500 | the server is not set up as it should be; its log says how |
/// | `busy` | 503 | try again in a moment |
/// | `database` | 503 | the database can't be reached, or failed |
/// | `time` | 503 | it took too long |
///
/// ```
/// use carburetor::server::Problem;
/// fn code(problem: &Problem) -> &str { problem.code() }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: String,
    remedy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_time: Option<String>,
}

/// What ends a feed whose caller is refused; no answer has it.
const REFUSED: &str = "refused";

impl Problem {
    /// The reason, for programs.
    ///
    /// ```
    /// # use carburetor::server::Problem;
    /// fn is_busy(problem: &Problem) -> bool { problem.code() == "busy" }
    /// ```
    pub fn code(&self) -> &str {
        self.code
    }

    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code,
            detail: clip::message(&detail.into()),
            remedy,
            server_time: None,
        }
    }

    pub(super) fn unavailable(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "no connection to the database");
        Self::database()
    }

    pub(super) fn too_slow() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "time",
            "it took longer than a request may",
            "ask for less at once, or again later",
        )
    }

    pub(super) fn busy(detail: &str) -> Self {
        Self::refusing(Refusal::Busy, detail)
    }

    /// The program doesn't let a caller in any more.
    pub(super) fn refused(status: StatusCode) -> Self {
        Self::new(
            status,
            REFUSED,
            "the program does not let the caller in any more",
            "sign in, and ask again",
        )
    }

    /// The program can't say whether it lets a caller in.
    pub(super) fn unknown(status: StatusCode) -> Self {
        tracing::error!(%status, "what a caller may see can't be told, so that what he was sent ends");
        Self::busy("the program can't say what the caller may see")
    }

    /// Whether whoever comes back in a moment may find it gone.
    pub(super) fn is_momentary(&self) -> bool {
        self.code == Refusal::Busy.code()
    }

    /// Whether the same may succeed in a while, without anybody who mends something.
    pub(super) fn may_pass(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE.as_u16()
    }

    /// Whether what is sent ends in order by it: whoever comes back is told more.
    pub(super) fn is_refusal(&self) -> bool {
        self.code == REFUSED
    }

    /// The answer to a method that a path doesn't take.
    pub(super) async fn method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method",
            "the path takes another method",
            "see the header `Allow`",
        )
    }

    /// What closes a web socket on which more is said than is expected.
    pub(super) fn said_too_much(most: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body",
            format!("more than {most} bytes were said on a feed"),
            "say nothing there: what a feed brings is asked for in its address",
        )
    }

    /// The answer to whoever asks for a web socket otherwise than one is opened.
    pub(super) fn upgrade() -> Self {
        Self::new(
            StatusCode::UPGRADE_REQUIRED,
            "upgrade",
            "a web socket is asked for, and the connection is not to become one",
            "send `Connection: upgrade`, `Upgrade: websocket` and `Sec-WebSocket-Version: 13`, through a proxy that passes them on; or follow by events or lines",
        )
    }

    /// Whether a statement failed, for whatever reason.
    pub(super) fn is_of_database(&self) -> bool {
        self.code == Refusal::Database.code()
    }

    fn database() -> Self {
        Self::refusing(
            Refusal::Database,
            "the database can't be reached, or failed",
        )
    }

    fn setup(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "the database is not as the server needs it, until somebody mends it");
        Self::refusing(Refusal::Setup, "the database is not as the server needs it")
    }

    /// What a look at the tables has found.
    pub(super) fn found(error: DownloadError) -> Self {
        Self::of(Refusal::found(&error), &error)
    }

    /// A refusal for this error, which is shown where it is about what was sent.
    fn of(refusal: Refusal, error: &dyn fmt::Display) -> Self {
        match refusal {
            Refusal::Setup => Self::setup(error),
            Refusal::Server => Self::server(error),
            Refusal::Database => Self::unavailable(error),
            Refusal::Busy => Self::busy("other writers were in the way"),
            shown => Self::refusing(shown, error.to_string()),
        }
    }

    fn refusing(refusal: Refusal, detail: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(refusal.status());
        Self::new(
            status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            refusal.code(),
            detail,
            remedy(refusal),
        )
    }

    /// The same as the answer of a server that can't serve.
    pub(super) fn unhealthy(self) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Problem {
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            ..self
        }
    }

    pub(super) fn server(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "the server is not set up as it should be");
        Self::refusing(Refusal::Server, "the server is not set up as it should be")
    }

    pub(super) fn message(error: &WireError) -> Self {
        Self::of(Refusal::Message, error)
    }
}

impl From<DownloadError> for Problem {
    fn from(error: DownloadError) -> Self {
        let refusal = Refusal::of_download(&error);
        match &error {
            // The driver's words alone.
            DownloadError::Query(query) if refusal == Refusal::Database => Self::unavailable(query),
            DownloadError::Token(token) => Self::of(refusal, token),
            error => Self::of(refusal, error),
        }
    }
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        let refusal = Refusal::of_upload(&error);
        match &error {
            UploadError::Query(query) if refusal == Refusal::Database => Self::unavailable(query),
            UploadError::ClockAhead { server, .. } => Problem {
                server_time: Some(instant(*server)),
                ..Self::of(refusal, &error)
            },
            error => Self::of(refusal, error),
        }
    }
}

/// What to do about it.
fn remedy(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Message => "send the message `Upload` of the protocol",
        Refusal::Token => "leave `since` out",
        Refusal::Keys => {
            "POST `since`, `keys` and `limit` as JSON, or leave `keys` out of the address"
        }
        Refusal::Batch => "send fewer changes at once",
        Refusal::ClockAhead => "follow `server_time`, and give the unsent changes new clocks",
        Refusal::Copied => "take a new replica id, and give the unsent changes new clocks",
        Refusal::Setup => {
            "somebody has to look at the server: a migration or a right is missing, its log says which"
        }
        Refusal::Server => "its log says what is wrong",
        Refusal::Busy => "try again in a moment",
        Refusal::Database => "try again later; the server's log says more",
    }
}

fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Texts and a number don't fail.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            let taken = HeaderValue::from_static("identity");
            headers.insert(header::ACCEPT_ENCODING, taken);
        }
        if status == StatusCode::UPGRADE_REQUIRED {
            let version = HeaderValue::from_static("13");
            headers.insert(header::SEC_WEBSOCKET_VERSION, version);
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
