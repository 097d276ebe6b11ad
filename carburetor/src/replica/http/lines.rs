//! An answer line by line.

use super::address::shown;
use super::failure::unreached;
use crate::replica::transport::TransportError;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{Stream, try_unfold};
use reqwest::Response;
use std::time::Duration;

/// The longest message that is taken.
const LONGEST: usize = 256 << 20;

struct Lines {
    response: Response,
    silence: Option<Duration>,
    /// What has come of the next line.
    buffer: BytesMut,
    /// How much of it holds no end of a line.
    searched: usize,
}

/// The lines of an answer, each as soon as it is whole. It is lost when nothing comes for as long as `silence`.
pub(super) fn lines(
    response: Response,
    silence: Option<Duration>,
) -> impl Stream<Item = Result<Bytes, TransportError>> + Send {
    let lines = Lines {
        response,
        silence,
        buffer: BytesMut::new(),
        searched: 0,
    };
    try_unfold(lines, |mut lines| async move {
        loop {
            let unsearched = &lines.buffer[lines.searched..];
            if let Some(end) = unsearched.iter().position(|byte| *byte == b'\n') {
                let mut line = lines.buffer.split_to(lines.searched + end + 1);
                line.truncate(line.len() - 1);
                lines.searched = 0;
                if line.is_empty() {
                    continue;
                }
                return Ok(Some((line.freeze(), lines)));
            }
            lines.searched = lines.buffer.len();
            if lines.searched > LONGEST {
                let problem = format!("a message is longer than {} MiB", LONGEST >> 20);
                return Err(TransportError::Unreadable(problem));
            }
            match lines.chunk().await? {
                Some(chunk) => lines.buffer.extend_from_slice(&chunk),
                // A last line without an end was cut off.
                None => return Ok(None),
            }
        }
    })
}

impl Lines {
    async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        let chunk = self.response.chunk();
        let chunk = match self.silence {
            Some(silence) => tokio::time::timeout(silence, chunk).await,
            None => Ok(chunk.await),
        };
        match chunk {
            Ok(chunk) => chunk.map_err(|error| unreached(self.response.url(), error)),
            Err(_) => {
                let from = shown(self.response.url());
                let silent = format!("{from}: nothing has come for a minute");
                Err(TransportError::Offline(silent.into()))
            }
        }
    }
}
