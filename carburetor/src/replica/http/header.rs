//! A header whose value runs out.

use crate::replica::transport::TransportError;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::RequestBuilder;
use reqwest::header::{HeaderName, HeaderValue};
use std::fmt;
use std::sync::Arc;

/// Which value of a header is asked for: see [`Http::header`](super::Http::header).
///
#[doc = include_str!("../../../docs/examples/http_header.md")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Renewal {
    /// The one that is at hand, if it hasn't run out.
    AtHand,
    /// Another one: the server has refused the last one with 401.
    Anew,
}

type Value = Result<HeaderValue, Box<dyn std::error::Error + Send + Sync>>;

/// A header of each request.
#[derive(Clone)]
pub(super) struct Header {
    name: HeaderName,
    value: Arc<dyn Fn(Renewal) -> BoxFuture<'static, Value> + Send + Sync>,
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_str())
    }
}

impl Header {
    pub(super) fn new<F, V>(name: HeaderName, value: F) -> Self
    where
        F: Fn(Renewal) -> V + Send + Sync + 'static,
        V: Future<Output = Value> + Send + 'static,
    {
        Header {
            name,
            value: Arc::new(move |renewal| value(renewal).boxed()),
        }
    }

    /// The request with the header.
    pub(super) async fn add(
        &self,
        request: RequestBuilder,
        renewal: Renewal,
    ) -> Result<RequestBuilder, TransportError> {
        let value = (self.value)(renewal).await;
        let mut value = value.map_err(TransportError::Credentials)?;
        // It is written into no log.
        value.set_sensitive(true);
        Ok(request.header(self.name.clone(), value))
    }
}
