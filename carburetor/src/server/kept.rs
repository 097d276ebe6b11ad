//! A request's parts, as long as its caller is sent something: to ask again who he is.

use super::refresh;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderName, HeaderValue, Method, Request, Uri, Version};
use hyper::upgrade::OnUpgrade;
use std::convert::Infallible;

/// The parts in little room. Where they lie in the connection's buffer, they would keep all of that.
#[derive(Debug)]
pub(super) struct Kept {
    method: Method,
    version: Version,
    uri: Box<str>,
    original: Option<Box<str>>,
    /// Lines of name and value.
    headers: Box<[u8]>,
    extensions: Extensions,
    /// How often anybody had been told to ask again.
    pub(super) asked: u64,
}

impl<St: Send + Sync> FromRequestParts<St> for Kept {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &St) -> Result<Self, Infallible> {
        Ok(Kept::of(parts))
    }
}

impl Kept {
    fn of(parts: &Parts) -> Self {
        let asked = refresh::calls();
        let mut extensions = parts.extensions.clone();
        // The connection itself.
        extensions.remove::<OnUpgrade>();
        let original = extensions.remove::<OriginalUri>();
        let mut headers = Vec::new();
        for (name, value) in &parts.headers {
            // None of the two holds the end of a line, and no name a colon.
            for piece in [name.as_str().as_bytes(), b":", value.as_bytes(), b"\n"] {
                headers.extend_from_slice(piece);
            }
        }
        Kept {
            method: parts.method.clone(),
            version: parts.version,
            uri: parts.uri.to_string().into(),
            original: original.map(|OriginalUri(uri)| uri.to_string().into()),
            headers: headers.into(),
            extensions,
            asked,
        }
    }

    /// The parts as they came.
    pub(super) fn parts(&self) -> Parts {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = self.method.clone();
        parts.version = self.version;
        parts.uri = address(&self.uri);
        parts.extensions = self.extensions.clone();
        if let Some(original) = &self.original {
            parts.extensions.insert(OriginalUri(address(original)));
        }
        for line in self.headers.split(|byte| *byte == b'\n') {
            let Some(end) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let name = HeaderName::from_bytes(&line[..end]);
            let value = HeaderValue::from_bytes(&line[end + 1..]);
            if let (Ok(name), Ok(value)) = (name, value) {
                parts.headers.append(name, value);
            }
        }
        parts
    }
}

/// What was read from an address is one.
fn address(text: &str) -> Uri {
    text.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_as_they_were() {
        let request = Request::builder()
            .uri("/web/feed?since=x%20y&limit=3")
            .header("cookie", "a=b; c=\"d:e\"")
            .header("x-team", "red")
            .header("x-team", "blue:\u{e9}")
            .header("x-empty", "")
            .extension(OriginalUri(Uri::from_static(
                "/sync/web/feed?since=x%20y&limit=3",
            )))
            .extension(7_u8)
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let back = Kept::of(&parts).parts();
        assert_eq!(back.uri, parts.uri);
        assert_eq!(back.method, parts.method);
        assert_eq!(back.headers, parts.headers);
        assert_eq!(back.extensions.get::<u8>(), Some(&7));
        let original = |parts: &Parts| parts.extensions.get::<OriginalUri>().cloned().unwrap().0;
        assert_eq!(original(&back), original(&parts));
    }
}
