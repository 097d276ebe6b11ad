//! A network that fails as a test says.

use bytes::Bytes;
use carburetor::replica::{Transport, TransportError};
use futures_util::{Stream, StreamExt};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What a program does at one moment.
type Program = Box<dyn FnOnce() + Send>;

/// What goes wrong next.
#[derive(Clone)]
pub(super) struct Faults {
    pub(super) offline: Arc<AtomicBool>,
    /// A statement that a program runs on the device between the upload and the download.
    pub(super) between: Arc<Mutex<Option<Program>>>,
    /// The server takes the next upload, and its answer gets lost.
    pub(super) lose_answer: Arc<AtomicBool>,
    /// How many lines of a download come before the line is cut.
    pub(super) lines: Arc<AtomicUsize>,
    /// How many rows a page has at most.
    pub(super) rows: Arc<AtomicUsize>,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            offline: Arc::default(),
            between: Arc::default(),
            lose_answer: Arc::default(),
            lines: Arc::new(usize::MAX.into()),
            rows: Arc::new(10_000.into()),
        }
    }
}

impl Faults {
    pub(super) fn set_offline(&self, offline: bool) {
        self.offline.store(offline, Ordering::SeqCst);
    }

    fn reach(&self) -> Result<(), TransportError> {
        match self.offline.load(Ordering::SeqCst) {
            true => offline(),
            false => Ok(()),
        }
    }

    /// A download or a feed begins, with pages of so many rows.
    fn begin(&self) -> Result<u32, TransportError> {
        self.reach()?;
        if let Some(between) = self.between.lock().unwrap().take() {
            between();
        }
        Ok(u32::try_from(self.rows.load(Ordering::SeqCst)).unwrap())
    }

    /// As many lines as come.
    fn lines(
        self,
        lines: impl Stream<Item = Result<Bytes, TransportError>> + Send,
    ) -> impl Stream<Item = Result<Bytes, TransportError>> + Send {
        let most = self.lines.load(Ordering::SeqCst);
        lines.enumerate().map(move |(number, line)| {
            self.reach()?;
            if number < most { line } else { offline() }
        })
    }
}

pub(super) struct Faulty<X> {
    pub(super) inner: X,
    pub(super) faults: Faults,
}

fn offline<T>() -> Result<T, TransportError> {
    Err(TransportError::Offline("no network".into()))
}

impl<X: Transport> Transport for Faulty<X> {
    async fn download(
        &self,
        since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        let faults = self.faults.clone();
        let rows = faults.begin()?;
        Ok(faults.lines(self.inner.download(since, rows).await?))
    }

    async fn feed(
        &self,
        since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        let faults = self.faults.clone();
        let rows = faults.begin()?;
        Ok(faults.lines(self.inner.feed(since, rows).await?))
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        self.faults.reach()?;
        let answer = self.inner.upload(changes).await?;
        match self.faults.lose_answer.swap(false, Ordering::SeqCst) {
            true => offline(),
            false => Ok(answer),
        }
    }
}
