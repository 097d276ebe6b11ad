//! One sync: upload, download, apply. Between any two steps the program may end; the next sync goes on from there.

use super::clock;
use super::error::ReplicaError;
use super::file::Store;
use super::outbox::{Sending, Which, freeze, sending};
use super::pages::Pages;
use super::query::{self, BIND, Bind, as_text};
use super::settle::{refuse, settle};
use super::status::{Monitor, Phase};
use super::token;
use super::transport::{AnyTransport, TransportError};
use crate::outcome::Outcomes;
use diesel::sqlite::SqliteConnection;
use std::sync::{Arc, Mutex, PoisonError};

/// How many changes one upload carries.
const CHANGES: usize = 1000;

/// How many bytes of changes one upload carries, unless a single one has more.
const BYTES: usize = 1 << 20;

/// How many rows a page has at most.
pub(super) const ROWS: u32 = 10_000;

/// How often one sync mends its clocks or its id.
const MENDS: u32 = 3;

/// What a sync has done.
///
/// ```
/// let synced = carburetor::replica::Synced::default();
/// assert_eq!((synced.sent, synced.rejected, synced.rows), (0, 0, 0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Synced {
    /// Changes that the server answered.
    pub sent: u64,
    /// Those of them that it rejected.
    pub rejected: u64,
    /// Rows that came.
    pub rows: u64,
    /// Rows that the server said are gone, whether the replica had them or not.
    pub removed: u64,
}

/// A file with its connection, as the tasks of a sync share it.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) store: Arc<Store>,
    pub(super) conn: Arc<Mutex<SqliteConnection>>,
    pub(super) turns: Arc<Turns>,
    pub(super) monitor: Arc<Monitor>,
}

/// What one task does at a time, step by step.
#[derive(Default)]
pub(super) struct Turns {
    /// A batch, until it is settled.
    upload: tokio::sync::Mutex<()>,
    /// Pages, until they are shown.
    pub(super) show: tokio::sync::Mutex<()>,
}

/// Runs `work` on a thread that may wait.
pub(super) async fn blocking<T: Send + 'static>(
    conn: &Arc<Mutex<SqliteConnection>>,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, ReplicaError> + Send + 'static,
) -> Result<T, ReplicaError> {
    let conn = conn.clone();
    let task = tokio::task::spawn_blocking(move || {
        work(&mut conn.lock().unwrap_or_else(PoisonError::into_inner))
    });
    task.await.map_err(|_| ReplicaError::Stopped)?
}

impl Shared {
    /// Runs `work` on a thread that may wait.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store, &mut SqliteConnection) -> Result<T, ReplicaError> + Send + 'static,
    ) -> Result<T, ReplicaError> {
        let store = self.store.clone();
        blocking(&self.conn, move |conn| work(&store, conn)).await
    }

    /// Runs `work` in a transaction that may write.
    pub(super) async fn transact<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store, &mut SqliteConnection) -> Result<T, ReplicaError> + Send + 'static,
    ) -> Result<T, ReplicaError> {
        self.run(move |store, conn| conn.immediate_transaction(|conn| work(store, conn)))
            .await
    }

    /// What a program asks for.
    pub(super) async fn sync(&self, transport: &dyn AnyTransport) -> Result<Synced, ReplicaError> {
        let mut synced = Synced::default();
        let done = self.exchange(transport, &mut synced).await;
        #[cfg(feature = "metrics")]
        self.run(move |store, conn| super::meter::synced(store, conn, synced))
            .await?;
        done.map(|()| synced)
    }

    async fn exchange(
        &self,
        transport: &dyn AnyTransport,
        synced: &mut Synced,
    ) -> Result<(), ReplicaError> {
        self.upload(transport, synced).await?;
        self.download(transport, synced).await
    }

    /// Uploads until nothing is left.
    pub(super) async fn upload(
        &self,
        transport: &dyn AnyTransport,
        synced: &mut Synced,
    ) -> Result<(), ReplicaError> {
        let (mut mends, mut most) = (0, CHANGES);
        loop {
            // One batch at a time: another task would send the same.
            let _turn = self.turns.upload.lock().await;
            let (batch, message) = self
                .transact(move |store, conn| store.batch(conn, most))
                .await?;
            if batch.is_empty() {
                return Ok(());
            }
            self.monitor.enter(Phase::Uploading);
            let answer = match transport.upload(message).await {
                Ok(answer) => answer,
                Err(refused) if mends < MENDS && self.mend(&refused).await? => {
                    mends += 1;
                    continue;
                }
                // The server, or what stands before it, takes less at once.
                Err(refused) if refused.is_too_much() => {
                    most = batch.len() / 2;
                    if most == 0 {
                        synced.sent += 1;
                        synced.rejected += 1;
                        self.set_aside(batch, &refused).await?;
                        most = 1;
                    }
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let outcomes = Outcomes::read(&answer)?;
            let sent = batch.len() as u64;
            synced.rejected += self
                .transact(move |store, conn| settle(conn, store, &batch, &outcomes))
                .await?;
            synced.sent += sent;
            self.count().await?;
        }
    }

    /// Does what the server asks for, if it is the replica's to do.
    async fn mend(&self, refused: &TransportError) -> Result<bool, ReplicaError> {
        let TransportError::Refused {
            code, server_time, ..
        } = refused
        else {
            return Ok(false);
        };
        let server_time = match (code.as_str(), server_time) {
            ("clock_ahead", Some(time)) => Some(*time),
            ("copied", _) => None,
            _ => return Ok(false),
        };
        self.transact(move |store, conn| {
            match server_time {
                Some(time) => clock::follow(conn, time)?,
                None => clock::rename(conn)?,
            }
            clock::renew(conn, store)?;
            Ok(true)
        })
        .await
    }

    /// What is alone too much is taken back: it would stand before all others for ever.
    async fn set_aside(
        &self,
        batch: Vec<Sending>,
        refused: &TransportError,
    ) -> Result<(), ReplicaError> {
        let message = refused.to_string();
        self.transact(move |store, conn| {
            let mut alone = batch.iter();
            alone.try_for_each(|sending| refuse(conn, store, sending, message.clone()))
        })
        .await?;
        self.count().await
    }

    /// Whether the download goes on from the beginning, because the server can't read the token: another version of it wrote that, or another server.
    pub(super) async fn forgets(
        &self,
        since: Option<&String>,
        refused: &TransportError,
    ) -> Result<bool, ReplicaError> {
        if since.is_none() || !refused.is_of_token() {
            return Ok(false);
        }
        self.transact(|store, conn| Ok(token::forget(conn, &store.group)?))
            .await?;
        Ok(true)
    }

    /// Takes pages until what they say is shown.
    async fn download(
        &self,
        transport: &dyn AnyTransport,
        synced: &mut Synced,
    ) -> Result<(), ReplicaError> {
        loop {
            let (turn, since) = self.turn().await?;
            let lines = match transport.download(since.as_deref(), ROWS).await {
                Err(refused) if self.forgets(since.as_ref(), &refused).await? => continue,
                lines => lines?,
            };
            let mut pages = Pages::new(self, turn, since.clone(), lines);
            while let Some(message) = pages.message().await? {
                // Otherwise another task has shown more meanwhile, and the rest is on top of that.
                let Some(staged) = pages.take(message).await? else {
                    break;
                };
                synced.rows += staged.rows;
                synced.removed += staged.removed;
                if !staged.more {
                    return Ok(());
                }
            }
        }
    }
}

impl Store {
    /// The changes of the next upload, with its message. What was sent before and not answered is sent alike; what has been edited
    /// since waits, because it stands on the answer. At most so many as `most`.
    fn batch(
        &self,
        conn: &mut SqliteConnection,
        most: usize,
    ) -> Result<(Vec<Sending>, Vec<u8>), ReplicaError> {
        let group = || [Bind::text(&self.group)];
        let waits = format!(
            "select 1 from carburetor_sending where in_group = {BIND} and attempted limit 1"
        );
        let may_freeze = !query::exists(conn, &waits, group())?;
        let mut batch = sending(conn, &self.group, most)?;
        // What can't travel is kept aside, so that nothing may be left of as many as one upload takes.
        while may_freeze && freeze(conn, &self.tables, &self.group, &Which::First(CHANGES))? > 0 {
            batch = sending(conn, &self.group, most)?;
            if !batch.is_empty() {
                break;
            }
        }
        let mut bytes = 0;
        let within = batch.iter().take_while(|sending| {
            bytes += sending.change.len();
            bytes <= BYTES
        });
        let within = within.count().max(1);
        batch.truncate(within);
        let Some(last) = batch.last() else {
            return Ok((batch, Vec::new()));
        };
        query::execute(
            conn,
            &format!(
                "update carburetor_sending set attempted = 1 where in_group = {BIND} and clock <= {BIND}"
            ),
            [Bind::text(&self.group), Bind::text(last.clock.to_string())],
        )?;
        let confirmed = query::value(
            conn,
            &format!("select confirmed from carburetor_group where name = {BIND}"),
            group(),
        )?;
        let mut message = format!("{{\"carburetor\":{},", crate::wire::VERSION);
        if confirmed.is_some() {
            message += &format!("\"confirmed\":\"{}\",", as_text(&confirmed));
        }
        let changes: Vec<&str> = batch
            .iter()
            .map(|sending| sending.change.as_str())
            .collect();
        message += &format!("\"changes\":[{}]}}", changes.join(","));
        Ok((batch, message.into_bytes()))
    }
}
