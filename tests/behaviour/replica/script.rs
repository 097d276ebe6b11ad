//! A transport that brings what a test has written down.

use bytes::Bytes;
use carburetor::replica::{Transport, TransportError};
use futures_util::Stream;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A server that says what a test has written down.
#[derive(Clone, Default)]
pub(super) struct Script {
    pub(super) lines: Arc<Mutex<Vec<String>>>,
    pub(super) since: Arc<Mutex<Vec<Option<String>>>>,
    /// What each change is answered with, besides its clock; without it there is no network.
    answer: Arc<Mutex<Option<Value>>>,
    /// The edits that were answered.
    edits: Arc<Mutex<Vec<Value>>>,
}

impl Script {
    /// The next download is this message.
    pub(super) fn says(&self, message: &str) {
        *self.lines.lock().unwrap() = vec![message.to_owned()];
    }

    /// Each change is answered so.
    pub(super) fn answers(&self, outcome: Value) {
        *self.answer.lock().unwrap() = Some(outcome);
    }

    /// What the last edit that was answered writes.
    pub(super) fn last_edit(&self) -> Option<Value> {
        self.edits.lock().unwrap().last().cloned()
    }
}

impl Transport for Script {
    async fn download(
        &self,
        since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.since.lock().unwrap().push(since.map(str::to_owned));
        let lines = std::mem::take(&mut *self.lines.lock().unwrap());
        Ok(futures_util::stream::iter(
            lines.into_iter().map(|line| Ok(line.into())),
        ))
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let Some(answer) = self.answer.lock().unwrap().clone() else {
            return Err(TransportError::Offline("no network".into()));
        };
        let changes: Value = serde_json::from_slice(&changes).unwrap();
        let outcomes = changes["changes"].as_array().unwrap().iter();
        let outcomes = outcomes.map(|change| {
            self.edits.lock().unwrap().push(change.clone());
            let mut outcome = answer.clone();
            outcome["clock"] = change["clock"].clone();
            outcome
        });
        let outcomes: Vec<Value> = outcomes.collect();
        let clock = "00000000000000000000000000000000";
        let message = json!({"carburetor": 1, "clock": clock, "outcomes": outcomes});
        Ok(message.to_string().into())
    }
}
