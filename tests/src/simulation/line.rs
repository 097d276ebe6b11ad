//! A line that bears little, or a server that takes little at once.

use carburetor::change::Changes;
use carburetor::replica::TransportError;
use fastrand::Rng;

/// How much passes at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// So many bytes.
    bytes: usize,
    /// The server says so; otherwise the line breaks.
    is_told: bool,
}

impl Line {
    /// Any line that a change, or a row, passes alone.
    pub(super) fn any(rng: &mut Rng) -> Self {
        Line {
            bytes: rng.usize(900..4000),
            is_told: rng.bool(),
        }
    }

    /// What becomes of an upload.
    pub(super) fn bears(self, message: &[u8], sent: &Changes) -> Result<(), TransportError> {
        match message.len() <= self.bytes || sent.changes.len() == 1 {
            true => Ok(()),
            false => Err(self.breaks()),
        }
    }

    /// What becomes of a page.
    pub(super) fn brings(self, page: &[u8], rows: u32) -> Result<(), TransportError> {
        match page.len() <= self.bytes || rows == 1 {
            true => Ok(()),
            false => Err(TransportError::Offline("the line broke".into())),
        }
    }

    fn breaks(self) -> TransportError {
        match self.is_told {
            true => TransportError::Refused {
                status: 408,
                code: "slow".into(),
                detail: "the upload took too long".into(),
                remedy: "send less at once".into(),
                server_time: None,
            },
            false => TransportError::Offline("the line broke".into()),
        }
    }
}
