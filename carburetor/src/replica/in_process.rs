//! A server in the same program: what a device's messages come to without a network.

use super::transport::{Transport, TransportError};
use crate::change::Changes;
use crate::connection::SyncConnection;
use crate::download::{DownloadError, Timestamps};
use crate::group::{DownloadTables, SyncGroup, UploadTables};
use crate::token::Token;
use crate::upload::UploadError;
use bytes::Bytes;
use diesel::ConnectionResult;
use futures_util::Stream;
use futures_util::stream::unfold;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A [`Transport`] to the group `G` in a database that this program can reach: for tests, and for copies of a database on the same machine.
///
#[doc = include_str!("../../docs/examples/in_process.md")]
pub struct InProcess<G, S, C> {
    server: Arc<Server<S, C>>,
    group: PhantomData<fn() -> G>,
}

struct Server<S, C> {
    scope: S,
    connect: Box<dyn Fn() -> ConnectionResult<C> + Send + Sync>,
}

impl<G, S, C> fmt::Debug for InProcess<G, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl<G, S, C> Clone for InProcess<G, S, C> {
    fn clone(&self) -> Self {
        InProcess {
            server: self.server.clone(),
            group: PhantomData,
        }
    }
}

impl<T, S, C> InProcess<SyncGroup<T, S>, S, C> {
    /// The way to what `scope` shows; each message takes a connection of its own.
    ///
    #[doc = include_str!("../../docs/examples/in_process.md")]
    pub fn new(
        scope: S,
        connect: impl Fn() -> ConnectionResult<C> + Send + Sync + 'static,
    ) -> Self {
        InProcess {
            server: Arc::new(Server {
                scope,
                connect: Box::new(connect),
            }),
            group: PhantomData,
        }
    }
}

impl<T, S, C> Transport for InProcess<SyncGroup<T, S>, S, C>
where
    C: SyncConnection + 'static,
    S: Send + Sync + 'static,
    T: DownloadTables<C::Backend, S> + UploadTables<C::Backend, S>,
{
    async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        let since = since.map(str::parse::<Token>).transpose();
        let since = since.map_err(|error| refused(400, "token", &error))?;
        let server = self.server.clone();
        let (lines, taken) = mpsc::channel(1);
        tokio::task::spawn_blocking(move || {
            // Whoever doesn't listen any more needs no error.
            let send = |line| lines.blocking_send(line).is_ok();
            if let Err(error) = server.pages::<T>(since, limit, |line| send(Ok(line))) {
                send(Err(error));
            }
        });
        Ok(unfold(taken, |mut taken| async move {
            let line = taken.recv().await?;
            Some((line, taken))
        }))
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let server = self.server.clone();
        let task = tokio::task::spawn_blocking(move || server.upload::<T>(&changes));
        task.await
            .map_err(|error| TransportError::Offline(Box::new(error)))?
    }
}

impl<S, C: SyncConnection> Server<S, C> {
    fn connect(&self) -> Result<C, TransportError> {
        (self.connect)().map_err(|error| TransportError::Offline(Box::new(error)))
    }

    /// The pages, and then what has changed since they were begun, until that fits one page and is of one instant.
    fn pages<T>(
        &self,
        since: Option<Token>,
        mut limit: u32,
        mut send: impl FnMut(Bytes) -> bool,
    ) -> Result<(), TransportError>
    where
        T: DownloadTables<C::Backend, S>,
    {
        let failed = |error: DownloadError| refused(500, "download", &error);
        let conn = &mut self.connect()?;
        let mut since = since.map_or_else(Timestamps::default, Timestamps::from);
        loop {
            let mut pages = SyncGroup::<T, S>::scoped(&self.scope).pages(since, limit);
            while let Some(page) = pages.next_json(conn).map_err(failed)? {
                let more = page.more();
                if !(send(page.into_json().into()) && more) {
                    return Ok(());
                }
            }
            let token = pages.token().map_err(failed)?;
            since = token.map_or_else(Timestamps::default, Timestamps::from);
            // Rows that were written a moment ago come again. Where they are more than a page, the next one takes more; its bytes are bounded.
            limit = limit.saturating_mul(2);
        }
    }

    fn upload<T>(&self, changes: &[u8]) -> Result<Bytes, TransportError>
    where
        T: UploadTables<C::Backend, S>,
    {
        let changes = Changes::read(changes).map_err(|error| refused(400, "message", &error))?;
        let conn = &mut self.connect()?;
        let outcomes = SyncGroup::<T, S>::scoped(&self.scope)
            .upload(conn, &changes)
            .map_err(|error| match &error {
                UploadError::ClockAhead { server, .. } => TransportError::Refused {
                    status: 409,
                    code: "clock_ahead".into(),
                    detail: error.to_string(),
                    remedy: String::new(),
                    server_time: Some(*server),
                },
                UploadError::Copied { .. } => refused(409, "copied", &error),
                _ => refused(500, "upload", &error),
            })?;
        let json = serde_json::to_vec(&outcomes);
        json.map(Bytes::from)
            .map_err(|error| refused(500, "upload", &error))
    }
}

fn refused(status: u16, code: &str, error: &dyn fmt::Display) -> TransportError {
    TransportError::Refused {
        status,
        code: code.into(),
        detail: error.to_string(),
        remedy: String::new(),
        server_time: None,
    }
}
