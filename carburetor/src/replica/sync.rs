//! One sync: upload, download, apply. Between any two steps the program may end; the next sync goes on from there.

use super::batch::Room;
use super::clock;
use super::doubt::Doubt;
use super::error::ReplicaError;
use super::file::Store;
use super::meter;
use super::monitor::Monitor;
use super::obstacle::{Cause, Next, Task};
use super::pages::Pages;
use super::portion::{Of, Portion};
use super::rejected::counting;
use super::relay;
use super::sending::Sending;
use super::settle::{refuse, settle};
use super::synced::Synced;
use super::token;
use super::transport::{AnyTransport, TransportError};
use crate::outcome::Outcomes;
use diesel::sqlite::SqliteConnection;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// How often one sync mends its clocks or its id.
const MENDS: u32 = 3;

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
    pub(super) doubt: Doubt,
    /// Something has come from the server since a line broke.
    pub(super) reached: AtomicBool,
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
    /// Runs `work` on what the file holds at one instant.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store, &mut SqliteConnection) -> Result<T, ReplicaError> + Send + 'static,
    ) -> Result<T, ReplicaError> {
        self.on_thread(move |store, conn| store.read(conn, work))
            .await
    }

    /// Runs `work` on a thread that may wait.
    async fn on_thread<T: Send + 'static>(
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
        self.on_thread(move |store, conn| store.transact(conn, work))
            .await
    }

    /// What the program has written up to now is of other transactions than what it writes next.
    pub(super) async fn end_stretch(&self) -> Result<(), ReplicaError> {
        self.transact(|store, conn| match store.is_stretch_open(conn)? {
            true => Ok(store.end_stretch(conn)?),
            false => Ok(()),
        })
        .await
    }

    /// What a program asks for.
    pub(super) async fn sync(&self, transport: &dyn AnyTransport) -> Result<Synced, ReplicaError> {
        meter::measured(&self.store.group, self.sync_within(transport)).await
    }

    async fn sync_within(&self, transport: &dyn AnyTransport) -> Result<Synced, ReplicaError> {
        let mut synced = Synced::default();
        let done = self.exchange(transport, &mut synced).await;
        self.note(synced).await?;
        if let Err(error) = done {
            // What was edited waits on, and whoever watches is told. A file that can't be counted is the error itself, or will be.
            drop(self.count().await);
            return Err(error);
        }
        Ok(synced)
    }

    /// What others have written comes whatever the server says of an upload.
    async fn exchange(
        &self,
        transport: &dyn AnyTransport,
        synced: &mut Synced,
    ) -> Result<(), ReplicaError> {
        let sent = self.send(transport, synced).await;
        self.tell(Task::Upload, &sent);
        if let Err(error) = &sent
            && error.is_of_file()
        {
            return sent;
        }
        let came = self.download(transport, synced).await;
        self.tell(Task::Download, &came);
        sent.and(came)
    }

    /// Tells what has become of a task that is not tried again unless the program says so.
    fn tell(&self, task: Task, done: &Result<(), ReplicaError>) {
        match done {
            Ok(()) => drop(self.monitor.done(task)),
            Err(error) => {
                let cause = Cause::of(error);
                self.monitor.failed(task, cause, error, Next::Waits);
            }
        }
    }

    /// Asks for what a hub holds, and uploads what was edited. What is held is older: a server that hears of it here first has it before what is edited since.
    pub(super) async fn send(
        &self,
        transport: &dyn AnyTransport,
        synced: &mut Synced,
    ) -> Result<(), ReplicaError> {
        let _attempt = self.turns.doubt.attempt();
        let asked = self.ask(transport, synced).await;
        match &asked {
            Err(error) if error.is_of_all() => asked,
            _ => self.upload(transport, synced).await.and(asked),
        }
    }

    /// Uploads until nothing is left.
    async fn upload(
        &self,
        transport: &dyn AnyTransport,
        synced: &mut Synced,
    ) -> Result<(), ReplicaError> {
        let (mut mends, mut settled) = (0, None);
        // Fewer than usual while the one is looked for that the server refuses.
        let mut apart = usize::MAX;
        loop {
            // One batch at a time: another task would send the same.
            let _turn = self.turns.upload.lock().await;
            let next = self.transact(move |store, conn| {
                let portion = Portion::read(conn, &store.group, Of::Upload)?;
                let room = Room::of(portion.limit()).at_most(apart);
                let (batch, aside) = counting(conn, |conn| store.batch(conn, room))?;
                Ok((portion, batch, aside))
            });
            let (portion, (batch, message), aside) = next.await?;
            if aside > 0 {
                synced.rejected += aside;
                self.count().await?;
            }
            let Some(first) = batch.first().map(|first| first.seq) else {
                return Ok(());
            };
            if settled == Some(first) {
                return self.stuck(&batch[0]);
            }
            let working = self.monitor.begin(Task::Upload);
            let (sent, bytes, begun) = (count(&batch), message.len(), Instant::now());
            let under_way = self.turns.doubt.begin();
            let answer = transport.upload(message).await;
            drop(working);
            let refused = match answer {
                Ok(answer) => {
                    self.turns.reached.store(true, Ordering::Relaxed);
                    let outcomes = Outcomes::read(&answer)?;
                    let now = portion.after_upload(sent, bytes, begun.elapsed());
                    let settle = move |store: &Store, conn: &mut SqliteConnection| {
                        portion.replace(now, conn, &store.group)?;
                        settle(conn, store, &batch, &outcomes)
                    };
                    let told = self.transact(settle).await?;
                    drop(under_way);
                    synced.rejected += told.rejected;
                    synced.lost += told.lost;
                    synced.met += told.met;
                    synced.unreadable += told.unreadable;
                    synced.sent += u64::from(sent);
                    (settled, apart) = (Some(first), usize::MAX);
                    self.count().await?;
                    continue;
                }
                Err(refused) => refused,
            };
            drop(under_way);
            // One change of a device of this hub is to be found.
            let is_of_device = self.is_of_device(&batch, &refused).await?;
            if is_of_device || refused.is_too_much() && sent == 1 {
                apart = (batch.len() / 2).max(1);
                if sent == 1 {
                    synced.sent += 1;
                    synced.rejected += self.set_aside(batch, &refused).await?;
                    apart = usize::MAX;
                }
                continue;
            }
            // The server, the line, or what stands between, bears less at once.
            if self.bears_less(portion, &batch, &refused).await? {
                continue;
            }
            if mends < MENDS && self.mend(&refused).await? {
                mends += 1;
                continue;
            }
            return Err(refused.into());
        }
    }

    /// What was settled waits again: another turn would change nothing.
    fn stuck(&self, sending: &Sending) -> Result<(), ReplicaError> {
        let change = sending.read()?;
        let problem = format!(
            "the change {} is answered, and waits to be sent again: report this",
            sending.clock
        );
        Err(ReplicaError::Stuck {
            table: change.table,
            problem,
        })
    }

    /// Whether the server refuses clocks that a device of this hub has given, so that only the device can mend them.
    async fn is_of_device(
        &self,
        batch: &[Sending],
        refused: &TransportError,
    ) -> Result<bool, ReplicaError> {
        match batch.first().map(|first| first.clock) {
            Some(clock) if refused.is_of_clocks() => {
                self.read(move |store, conn| Ok(relay::is_relayed(conn, store, clock)?))
                    .await
            }
            _ => Ok(false),
        }
    }

    /// Does what the server asks for, if it is the replica's to do.
    pub(super) async fn mend(&self, refused: &TransportError) -> Result<bool, ReplicaError> {
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
                Some(time) => {
                    clock::follow(conn, time)?;
                    clock::renew(conn, store)?;
                }
                None => clock::rename(conn, store)?,
            }
            Ok(true)
        })
        .await
    }

    /// What is refused alone is taken back: it would stand before all others for ever. Returns of how many the program is to be told.
    async fn set_aside(
        &self,
        batch: Vec<Sending>,
        refused: &TransportError,
    ) -> Result<u64, ReplicaError> {
        let message = refused.to_string();
        let refuse = move |store: &Store, conn: &mut SqliteConnection| {
            let mut told = 0;
            for alone in &batch {
                told += u64::from(refuse(conn, store, alone, &message)?);
            }
            Ok(told)
        };
        let told = self.transact(refuse).await?;
        self.count().await?;
        Ok(told)
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
    pub(super) async fn download(
        &self,
        transport: &dyn AnyTransport,
        synced: &mut Synced,
    ) -> Result<(), ReplicaError> {
        let _working = self.monitor.begin(Task::Download);
        loop {
            let (turn, since) = self.turn().await?;
            let portion = self.portion(Of::Page).await?;
            let lines = match transport.download(since.as_deref(), portion.limit()).await {
                Err(refused) if self.forgets(since.as_ref(), &refused).await? => continue,
                Err(refused) => {
                    if refused.asks_for_less() {
                        self.remember(portion, portion.less()).await?;
                    }
                    return Err(refused.into());
                }
                Ok(lines) => lines,
            };
            let mut pages = Pages::new(self, Some(turn), since.clone(), lines);
            loop {
                let message = match pages.message().await {
                    Ok(Some(message)) => message,
                    Ok(None) => break,
                    Err(error) => {
                        self.page_failed(portion, pages.came(), &error).await?;
                        return Err(error);
                    }
                };
                // Otherwise another task has shown more meanwhile, and the rest is on top of that.
                let Some(staged) = pages.take(message).await? else {
                    break;
                };
                synced.add(&staged);
                if !staged.more {
                    return self.pages_came(portion, pages.came()).await;
                }
            }
        }
    }
}

/// How many changes a batch has.
pub(super) fn count(batch: &[Sending]) -> u32 {
    u32::try_from(batch.len()).unwrap_or(u32::MAX)
}
