//! Refusals as they travel: problem+json.

use super::transport::TransportError;
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// The body of a refusal, as far as a replica reads it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    code: String,
    detail: String,
    remedy: String,
    server_time: Option<DateTime<Utc>>,
}

impl Problem {
    /// What `body` says; something between the two may have answered in other words.
    pub(super) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// Nothing that a replica can read.
    pub(super) fn is_silent(&self) -> bool {
        self.code.is_empty() && self.detail.is_empty()
    }

    /// Servers that are too busy, or gone for a moment, are tried again later.
    pub(super) fn refused(self, status: u16) -> TransportError {
        TransportError::Refused {
            status,
            code: self.code,
            detail: match self.detail.is_empty() {
                true => "without a reason that a replica can read".into(),
                false => self.detail,
            },
            remedy: self.remedy,
            server_time: self.server_time,
        }
    }
}
