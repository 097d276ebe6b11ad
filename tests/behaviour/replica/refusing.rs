//! A server that answers some uploads in its own way.

use bytes::Bytes;
use carburetor::replica::{Transport, TransportError};
use futures_util::Stream;

/// The way of `inner`, but for uploads to which `answer` says something.
pub(super) struct Refusing<X, F> {
    inner: X,
    answer: F,
}

impl<X, F> Refusing<X, F>
where
    F: Fn(&[u8]) -> Option<Result<Bytes, TransportError>>,
{
    pub(super) fn new(inner: X, answer: F) -> Self {
        Refusing { inner, answer }
    }
}

/// What a server says that takes an upload at no time.
pub(super) fn refusal(status: u16, code: &str, detail: &str) -> TransportError {
    TransportError::Refused {
        status,
        code: code.into(),
        detail: detail.into(),
        remedy: String::new(),
        server_time: None,
    }
}

impl<X, F> Transport for Refusing<X, F>
where
    X: Transport,
    F: Fn(&[u8]) -> Option<Result<Bytes, TransportError>> + Send + Sync + 'static,
{
    async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.inner.download(since, limit).await
    }

    async fn feed(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.inner.feed(since, limit).await
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        match (self.answer)(&changes) {
            Some(answer) => answer,
            None => self.inner.upload(changes).await,
        }
    }
}
