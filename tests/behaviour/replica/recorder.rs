//! A way to nowhere, which keeps what was sent.

use bytes::Bytes;
use carburetor::change::{Change, Changes};
use carburetor::replica::{Transport, TransportError};
use futures_util::Stream;
use std::sync::{Arc, Mutex};

/// Every upload gets lost on its way; nothing comes.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<Vec<Vec<u8>>>>);

impl Recorder {
    /// What was sent last.
    pub(super) fn last(&self) -> Vec<Change> {
        let sent = self.0.lock().unwrap();
        let last = sent.last().expect("something was sent");
        Changes::read(last).unwrap().changes
    }

    pub(super) fn messages(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }
}

impl Transport for Recorder {
    async fn download(
        &self,
        _since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        Ok(futures_util::stream::empty())
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        self.0.lock().unwrap().push(changes);
        Err(TransportError::Offline("no network".into()))
    }
}
