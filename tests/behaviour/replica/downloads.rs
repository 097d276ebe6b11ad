//! How the downloads of a device begin, as a test says.

use bytes::Bytes;
use carburetor::replica::{Transport, TransportError};
use futures_util::Stream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// What a program does at one moment.
type Program = Box<dyn FnOnce() + Send>;

/// What goes before a download, and how many rows a page of it has at most. Clones are one.
#[derive(Clone)]
pub(super) struct Downloads {
    between: Arc<Mutex<Option<Program>>>,
    rows: Arc<AtomicU32>,
    since: Arc<Mutex<Vec<Option<String>>>>,
}

impl Default for Downloads {
    fn default() -> Self {
        Downloads {
            between: Arc::default(),
            rows: Arc::new(10_000.into()),
            since: Arc::default(),
        }
    }
}

impl Downloads {
    /// A program runs between the upload and the next download.
    pub(super) fn between(&self, program: impl FnOnce() + Send + 'static) {
        *self.between.lock().unwrap() = Some(Box::new(program));
    }

    pub(super) fn set_rows(&self, rows: u32) {
        self.rows.store(rows, Ordering::SeqCst);
    }

    /// The tokens that downloads and feeds went on from.
    pub(super) fn since(&self) -> Vec<Option<String>> {
        self.since.lock().unwrap().clone()
    }

    /// A download or a feed begins, with pages of so many rows.
    fn begin(&self, since: Option<&str>) -> u32 {
        self.since.lock().unwrap().push(since.map(str::to_owned));
        if let Some(between) = self.between.lock().unwrap().take() {
            between();
        }
        self.rows.load(Ordering::SeqCst)
    }
}

/// The way of `inner`, whose downloads begin so.
pub(super) struct Begun<X> {
    pub(super) inner: X,
    pub(super) downloads: Downloads,
}

impl<X: Transport> Transport for Begun<X> {
    async fn download(
        &self,
        since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.inner
            .download(since, self.downloads.begin(since))
            .await
    }

    async fn feed(
        &self,
        since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.inner.feed(since, self.downloads.begin(since)).await
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        self.inner.upload(changes).await
    }
}
