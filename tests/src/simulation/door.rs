//! Where messages of one account come to the server.

use super::models::Member;
use super::server::Server;
use bytes::Bytes;
use carburetor::replica::{Transport, TransportError};
use futures_util::{Stream, stream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The server as one account sees it, which it may do otherwise at any time.
#[derive(Clone)]
pub(super) struct Door {
    server: Arc<Server>,
    member: Arc<Mutex<Member>>,
}

impl Door {
    pub(super) fn new(server: Arc<Server>, member: Member) -> Self {
        Door {
            server,
            member: Arc::new(Mutex::new(member)),
        }
    }

    pub(super) fn member(&self) -> MutexGuard<'_, Member> {
        self.member.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Door {
    async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        let member = self.member().clone();
        let pages = self.server.download(member, since, limit).await?;
        Ok(stream::iter(pages))
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let member = self.member().clone();
        self.server.take(&member, changes).await
    }
}
