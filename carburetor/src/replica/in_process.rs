//! A server in the same program: what a device's messages come to without a network.

use super::transport::{Transport, TransportError};
use crate::change::Changes;
use crate::connection::SyncConnection;
use crate::download::{DownloadError, Timestamps, blocking};
use crate::group::{DownloadTables, SyncGroup, UploadTables};
use crate::refusal::{Refusal, is_refused};
use crate::table::TableDefinition;
use crate::token::Token;
use crate::upload::UploadError;
use bytes::Bytes;
use diesel::ConnectionResult;
use futures_util::Stream;
use futures_util::stream::unfold;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How often a feed asks the database for news.
const POLL: Duration = Duration::from_millis(25);

/// A [`Transport`] to the group `G` in a database that this program can reach: for tests, and for copies of a database on the same machine.
/// What fails is refused with the status and the code that a server has for it over HTTP, and in the words of the database.
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

/// What pages go on with after those of one instant.
struct Round<C> {
    conn: Option<C>,
    since: Option<Token>,
    /// The tag of the last page of all.
    last: Option<String>,
}

/// A round at work, on a thread that may wait.
struct Running<C> {
    pages: mpsc::Receiver<Bytes>,
    task: JoinHandle<Result<Round<C>, TransportError>>,
}

impl<C: SyncConnection + 'static> Running<C> {
    fn begin<T, S>(server: Arc<Server<S, C>>, round: Round<C>, limit: u32) -> Self
    where
        S: Send + Sync + 'static,
        T: DownloadTables<C::Backend, S>,
    {
        let (lines, pages) = mpsc::channel(1);
        // Whoever doesn't listen any more ends it.
        let send = move |line| lines.blocking_send(line).is_ok();
        let task = tokio::task::spawn_blocking(move || server.round::<T>(round, limit, send));
        Running { pages, task }
    }
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

impl<T, S, C> InProcess<SyncGroup<T, S>, S, C>
where
    C: SyncConnection + 'static,
    S: Send + Sync + 'static,
    T: DownloadTables<C::Backend, S> + UploadTables<C::Backend, S>,
{
    /// The pages of one download, or of one after the other without end.
    fn pages(
        &self,
        since: Option<&str>,
        limit: u32,
        is_feed: bool,
    ) -> Result<
        impl Stream<Item = Result<Bytes, TransportError>> + Send + use<T, S, C>,
        TransportError,
    > {
        let since = since.map(str::parse::<Token>).transpose();
        let since = since.map_err(|error| refused(Refusal::Token, &error))?;
        let first = Round {
            conn: None,
            since,
            last: None,
        };
        let server = self.server.clone();
        let running = Running::begin::<T, S>(server.clone(), first, limit);
        Ok(unfold(Some(running), move |running| {
            let server = server.clone();
            async move {
                let mut running = running?;
                loop {
                    if let Some(page) = running.pages.recv().await {
                        return Some((Ok(page), Some(running)));
                    }
                    let ended = running
                        .task
                        .await
                        .unwrap_or_else(|error| Err(refused(Refusal::Server, &error)));
                    match ended {
                        Ok(round) if is_feed => {
                            tokio::time::sleep(POLL).await;
                            running = Running::begin::<T, S>(server.clone(), round, limit);
                        }
                        Ok(_) => return None,
                        Err(error) => return Some((Err(error), None)),
                    }
                }
            }
        }))
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
        self.pages(since, limit, false)
    }

    /// Asks the database for news 40 times a second: its connections can't be told of any.
    async fn feed(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.pages(since, limit, true)
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let server = self.server.clone();
        let task = tokio::task::spawn_blocking(move || server.upload::<T>(&changes));
        task.await
            .map_err(|error| refused(Refusal::Server, &error))?
    }
}

impl<S, C: SyncConnection> Server<S, C> {
    fn connect(&self) -> Result<C, TransportError> {
        (self.connect)().map_err(|error| refused(Refusal::Database, &error))
    }

    /// The pages, and then what has changed since they were begun, until that fits one page and is of one instant. What was the last word of
    /// the round before is not said again.
    fn round<T>(
        &self,
        round: Round<C>,
        mut limit: u32,
        mut send: impl FnMut(Bytes) -> bool,
    ) -> Result<Round<C>, TransportError>
    where
        T: DownloadTables<C::Backend, S>,
    {
        let failed = |error: DownloadError| refused(Refusal::of_download(&error), &error);
        let Round {
            conn,
            mut since,
            mut last,
        } = round;
        let mut conn = match conn {
            Some(conn) => conn,
            None => self.connect()?,
        };
        let mut is_first = true;
        loop {
            let from = since
                .clone()
                .map_or_else(Timestamps::default, Timestamps::from);
            let mut pages = SyncGroup::<T, S>::scoped(&self.scope).pages(from, limit);
            loop {
                let page = pages.next_json(&mut conn);
                let Some(page) =
                    page.map_err(|error| unread(&mut conn, &T::definitions(), error))?
                else {
                    break;
                };
                let more = page.more();
                let tag = Some(page.tag());
                let is_news =
                    !is_first || more || last.is_none() || !page.is_empty() && tag != last;
                is_first = false;
                if !more {
                    since = pages.token().map_err(failed)?;
                    last = tag;
                }
                let goes_on = !is_news || send(page.into_json().into());
                if !(goes_on && more) {
                    return Ok(Round {
                        conn: Some(conn),
                        since,
                        last,
                    });
                }
            }
            since = pages.token().map_err(failed)?;
            // Rows that were written a moment ago come again. Where they are more than a page, the next one takes more; its bytes are bounded.
            limit = limit.saturating_mul(2);
        }
    }

    fn upload<T>(&self, changes: &[u8]) -> Result<Bytes, TransportError>
    where
        T: DownloadTables<C::Backend, S> + UploadTables<C::Backend, S>,
    {
        let changes = Changes::read(changes).map_err(|error| refused(Refusal::Message, &error))?;
        let conn = &mut self.connect()?;
        let taken = SyncGroup::<T, S>::scoped(&self.scope).upload(conn, &changes);
        let outcomes = taken.map_err(|error| match error {
            UploadError::Query(query) => unread(conn, &T::definitions(), query.into()),
            error => refused_upload(&error),
        })?;
        let json = serde_json::to_vec(&outcomes);
        json.map(Bytes::from)
            .map_err(|error| refused(Refusal::Server, &error))
    }
}

/// Why a statement failed: it may be what a person has to mend, and no reason to try again.
fn unread<C: SyncConnection>(
    conn: &mut C,
    definitions: &[&'static TableDefinition],
    error: DownloadError,
) -> TransportError {
    if let DownloadError::Query(query) = &error
        && is_refused(query)
        && let Err(found) = blocking::check(conn, definitions)
    {
        return refused(Refusal::found(&found), &found);
    }
    refused(Refusal::of_download(&error), &error)
}

fn refused_upload(error: &UploadError) -> TransportError {
    let mut refused = refused(Refusal::of_upload(error), error);
    if let (TransportError::Refused { server_time, .. }, UploadError::ClockAhead { server, .. }) =
        (&mut refused, error)
    {
        *server_time = Some(*server);
    }
    refused
}

/// The same refusal as over HTTP, with all that is known: it is the same program.
fn refused(refusal: Refusal, error: &dyn fmt::Display) -> TransportError {
    TransportError::Refused {
        status: refusal.status(),
        code: refusal.code().into(),
        detail: error.to_string(),
        remedy: String::new(),
        server_time: None,
    }
}
