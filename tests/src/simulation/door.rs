//! Where messages of one account come to what is above it: the server, or a hub.

use super::hub::Hub;
use super::models::Member;
use super::server::Server;
use bytes::Bytes;
use carburetor::replica::{Transport, TransportError};
use futures_util::{Stream, stream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is above as one account sees it, which it may do otherwise at any time.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) above: Above,
    member: Arc<Mutex<Member>>,
}

/// What is above a device.
#[derive(Clone)]
pub(super) enum Above {
    Server(Arc<Server>),
    Hub(Arc<Hub>),
}

impl Door {
    pub(super) fn new(above: Above, member: Member) -> Self {
        Door {
            above,
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
        let pages = match &self.above {
            Above::Server(server) => server.download(member, since, limit).await?,
            Above::Hub(hub) => hub.download(member, since, limit).await?,
        };
        Ok(stream::iter(pages))
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let member = self.member().clone();
        match &self.above {
            Above::Server(server) => server.take(&member, changes).await,
            Above::Hub(hub) => hub.take(member, changes).await,
        }
    }
}
