//! What has failed, for people: at which address, why, and what to do.

use super::address::shown;
use crate::replica::problem::Problem;
use crate::replica::transport::TransportError;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode, Url};
use std::error::Error;
use std::fmt;

/// An address was not reached, or the line broke.
#[derive(Debug)]
struct Unreached {
    from: String,
    error: reqwest::Error,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut why: &dyn Error = &self.error;
        while let Some(deeper) = why.source() {
            why = deeper;
        }
        write!(f, "{}: {why}", self.from)
    }
}

impl Error for Unreached {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

pub(super) fn unreached(url: &Url, error: reqwest::Error) -> TransportError {
    TransportError::Offline(Box::new(Unreached {
        from: shown(url),
        // The address may hold a token.
        error: error.without_url(),
    }))
}

/// The error of an answer that is a page for people: something between has answered, or the address is another one.
pub(super) fn foreign(url: &Url, response: &Response) -> Option<TransportError> {
    let kind = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    kind.starts_with("text/html").then(|| {
        let problem = format!(
            "{} answers with a page for people: open it in a browser, whether a network asks for a sign-in there; or give `Http` the group's address",
            shown(url)
        );
        TransportError::Unreadable(problem)
    })
}

/// A refusal, with the reason that the server gives, or with what is known without one.
pub(super) fn refused(url: &Url, status: StatusCode, body: &[u8]) -> TransportError {
    let (problem, at) = (Problem::read(body), shown(url));
    if !problem.is_silent() {
        return problem.refused(status.as_u16());
    }
    let (detail, remedy) = match status.as_u16() {
        404 | 405 | 410 => (
            format!("nothing is served at {at}"),
            "give `Http` the group's address, with the path where the server's routes are nested, and the group's name at the end, as `https://example.org/sync/web`",
        ),
        401 => (
            format!("{at} doesn't know who asks"),
            "sign in; `Http::header` says who asks",
        ),
        403 => (
            format!("{at} doesn't let in who asks"),
            "sign in as somebody whom the server lets in",
        ),
        407 | 511 => (
            format!("what stands before {at} wants to know who asks"),
            "sign in at the network or its proxy",
        ),
        408 | 421 | 425 | 429 | 500.. => (format!("{at} can't answer at present"), ""),
        _ => (format!("{at} gives no reason"), ""),
    };
    TransportError::Refused {
        status: status.as_u16(),
        code: String::new(),
        detail,
        remedy: remedy.into(),
        server_time: None,
    }
}
