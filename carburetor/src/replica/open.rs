//! A replica: opened, asked, synced.

use super::error::ReplicaError;
use super::file::{Store, connect};
use super::met::Met;
use super::monitor::Monitor;
use super::obstacle::{Cause, Next, Task};
use super::rejected::Rejected;
use super::status::Status;
use super::sync::Shared;
use super::synced::Synced;
use super::table::ReplicaGroup;
use super::transport::{AnyTransport, Transport};
use crate::wire::WireError;
use diesel::sqlite::SqliteConnection;
use futures_util::Stream;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A device's copy of the group `G`, in an SQLite file.
///
#[doc = include_str!("../../docs/examples/replica.md")]
pub struct Replica<G> {
    path: String,
    shared: Shared,
    transport: Box<dyn AnyTransport>,
    /// One of each at a time.
    syncing: tokio::sync::Mutex<()>,
    running: tokio::sync::Mutex<()>,
    /// The server was reached, which ends a pause of the run.
    reached: tokio::sync::Notify,
    group: PhantomData<fn() -> G>,
}

impl<G> fmt::Debug for Replica<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("path", &self.path)
            .field("group", &self.shared.store.group)
            .finish_non_exhaustive()
    }
}

/// How a replica is opened, where the defaults don't fit.
///
#[doc = include_str!("../../docs/examples/replica_builder.md")]
pub struct ReplicaBuilder<G> {
    name: String,
    account: String,
    group: PhantomData<fn() -> G>,
}

impl<G> fmt::Debug for ReplicaBuilder<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplicaBuilder")
            .field("name", &self.name)
            .field("account", &self.account)
            .finish()
    }
}

impl<G> ReplicaBuilder<G> {
    /// What the file knows the group by, where it holds more than one; the names of its tables otherwise.
    ///
    #[doc = include_str!("../../docs/examples/replica_builder.md")]
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        ReplicaBuilder {
            name: name.into(),
            ..self
        }
    }

    /// Whose rows these are. When another account opens the file, the former one's rows go at once and it
    /// downloads from the beginning; what was rejected stays the former one's. It can't open the file while
    /// changes of the former one wait for the server: see [`Replica::sign_out`] and
    /// [`Replica::discard_pending`]. Without this call it is an account without a name, which counts as one more:
    /// [whose file](crate::replica#whose-file) has the whole of it.
    ///
    #[doc = include_str!("../../docs/examples/replica_builder.md")]
    #[must_use]
    pub fn account(self, account: impl Into<String>) -> Self {
        ReplicaBuilder {
            account: account.into(),
            ..self
        }
    }

    /// Opens the file, or makes it.
    ///
    #[doc = include_str!("../../docs/examples/replica_builder.md")]
    ///
    /// # Errors
    ///
    /// A file that can't be opened, or a table in it that a download can't be written into: the error names it and tells the remedy.
    pub fn open(
        self,
        path: impl AsRef<Path>,
        transport: impl Transport,
    ) -> Result<Replica<G>, ReplicaError>
    where
        G: ReplicaGroup,
    {
        let Some(path) = path.as_ref().to_str().map(str::to_owned) else {
            let problem = format!(
                "{} is not UTF-8, as SQLite needs it: choose another path",
                path.as_ref().display()
            );
            return Err(diesel::ConnectionError::BadConnection(problem).into());
        };
        let mut store = Store {
            tables: G::tables(),
            group: self.name,
            account: self.account,
        };
        let mut conn = connect(&path)?;
        store.open(&mut conn, &path)?;
        store.settle_on_disk(&mut conn)?;
        let counted = store.count(&mut conn)?;
        if counted.elsewhere > 0 {
            store.tell_elsewhere(&mut conn)?;
        }
        let monitor = Monitor::new(counted);
        // What is known of the file by itself, before anything is tried.
        if let Err(error) = store.reads_ends(&mut conn) {
            monitor.failed(Task::Upload, Cause::of(&error), &error, Next::Waits);
        }
        Ok(Replica {
            path,
            shared: Shared {
                store: Arc::new(store),
                conn: Arc::new(Mutex::new(conn)),
                turns: Arc::default(),
                monitor: Arc::new(monitor),
            },
            transport: Box::new(transport),
            syncing: tokio::sync::Mutex::default(),
            running: tokio::sync::Mutex::default(),
            reached: tokio::sync::Notify::default(),
            group: PhantomData,
        })
    }
}

impl<G> Replica<G> {
    /// Opens the file, or makes it; missing tables and the triggers that record edits are made, too.
    ///
    #[doc = include_str!("../../docs/examples/replica.md")]
    ///
    /// # Errors
    ///
    /// As [`ReplicaBuilder::open`].
    pub fn open(path: impl AsRef<Path>, transport: impl Transport) -> Result<Self, ReplicaError>
    where
        G: ReplicaGroup,
    {
        Self::builder().open(path, transport)
    }

    /// A replica that is opened in another way than the usual one.
    ///
    #[doc = include_str!("../../docs/examples/replica_builder.md")]
    pub fn builder() -> ReplicaBuilder<G>
    where
        G: ReplicaGroup,
    {
        ReplicaBuilder {
            name: G::NAMES.join(","),
            account: String::new(),
            group: PhantomData,
        }
    }
}

impl<G> Replica<G> {
    /// Uploads what was edited, downloads what is new, and shows it. What the server refuses keeps nothing from coming.
    ///
    #[doc = include_str!("../../docs/examples/replica.md")]
    ///
    /// # Errors
    ///
    /// The server can't be reached, or refuses; a message or the file can't be read. What was done up to then stays, and the next call goes on
    /// from there.
    pub async fn sync(&self) -> Result<Synced, ReplicaError> {
        let _one = self.syncing.lock().await;
        let synced = self.shared.sync(&*self.transport).await;
        if synced.is_ok() {
            self.reached.notify_waiters();
        }
        synced
    }

    /// Follows the server for as long as it is polled: uploads what is edited as soon as it is written, on whatever connection, and shows what
    /// others write as soon as the server tells it; neither waits for the other. When the server can't be reached or refuses, it tries again:
    /// within a second, and then after pauses of random length, up to a bound that doubles until it is a minute; at once when
    /// [`Replica::sync`] succeeds meanwhile. It downloads at an interval where the feed says nothing. [`Replica::status`] tells how it goes.
    ///
    /// It may be dropped at any moment, and called again; the rest of the replica can be used beside it. A second call waits for the first one
    /// to be dropped. It needs a runtime with time.
    ///
    #[doc = include_str!("../../docs/examples/replica_run.md")]
    ///
    /// # Errors
    ///
    /// The file can't be read or written, which trying again won't mend.
    pub async fn run(&self) -> Result<Infallible, ReplicaError> {
        let _one = self.running.lock().await;
        self.shared
            .follow(&*self.transport, &self.path, &self.reached)
            .await
    }

    /// What the replica is doing: the status now, and then whenever it changes. Whoever is slow misses some, never the last one. Edits of the
    /// program are counted while [`Replica::run`] is polled, and by each [`Replica::sync`].
    ///
    #[doc = include_str!("../../docs/examples/replica_status.md")]
    pub fn status(&self) -> impl Stream<Item = Status> + Send + use<G> {
        self.shared.monitor.watch()
    }

    /// A new connection to the file, ready to be used beside a sync. Any other connection does as well; its writes are recorded, too.
    ///
    #[doc = include_str!("../../docs/examples/replica.md")]
    ///
    /// # Errors
    ///
    /// The file can't be opened, or has become another account's since this replica was opened.
    pub fn connection(&self) -> Result<SqliteConnection, ReplicaError> {
        let mut conn = connect(&self.path)?;
        self.shared.store.still_belongs(&mut conn)?;
        self.shared.store.settle_on_disk(&mut conn)?;
        Ok(conn)
    }

    /// How many changes the server hasn't answered.
    ///
    #[doc = include_str!("../../docs/examples/replica.md")]
    ///
    /// # Errors
    ///
    /// A failed statement.
    pub fn pending(&self) -> Result<u64, ReplicaError> {
        self.read(Store::pending)
    }

    /// The changes that the server rejected, and the edits that are gone with rows that were deleted meanwhile
    /// ([`Code::Gone`](crate::outcome::Code::Gone)), the oldest first.
    ///
    #[doc = include_str!("../../docs/examples/replica_rejected.md")]
    ///
    /// # Errors
    ///
    /// A failed statement.
    pub fn rejected(&self) -> Result<Vec<Rejected>, ReplicaError> {
        self.read(Store::rejected)
    }

    /// Rows of the server's that can't be shown, because a value of theirs can't travel or can't be read by the program's models, or because the table in the file
    /// refuses them, by a `CHECK` or a trigger: the replica shows what it has had of them, if anything. They come as soon as they can be read, after the program
    /// was updated for instance, and the table takes them.
    ///
    #[doc = include_str!("../../docs/examples/replica_unreadable.md")]
    ///
    /// # Errors
    ///
    /// A file that can't be read.
    pub fn unreadable(&self) -> Result<Vec<WireError>, ReplicaError> {
        self.read(Store::unreadable)
    }

    /// Edits the row again as the rejected change of this number did, to be sent with the next sync; `false` if there is none. What this device has
    /// edited of the row since, sent or not, stands on top of it: only the other columns are written. It writes over what others have written
    /// meanwhile, so show both first. Of two rejected changes that are tried again, in whatever order, the later edit stands.
    ///
    /// A row that is inserted anew gets back what only this device knew of it, its `local` columns.
    ///
    #[doc = include_str!("../../docs/examples/replica_rejected.md")]
    ///
    /// # Errors
    ///
    /// A failed statement, or a change that doesn't fit the model of today. An update of a row that is gone ([`Code::Gone`](crate::outcome::Code::Gone)), unless the row is
    /// there again: nothing would come of it, and it stays among the rejected. So does a change of which nothing would be left, because all that it
    /// wrote was edited since, or the row itself was deleted or inserted, and a deletion of a row that was edited since. A file that has become
    /// another account's.
    pub fn retry(&self, seq: i64) -> Result<bool, ReplicaError> {
        self.transact(|store, conn| store.retry(conn, seq))
    }

    /// Forgets the rejected change of this number; `false` if there is none.
    ///
    #[doc = include_str!("../../docs/examples/replica_rejected.md")]
    ///
    /// # Errors
    ///
    /// A failed statement.
    pub fn drop_rejected(&self, seq: i64) -> Result<bool, ReplicaError> {
        self.transact(|store, conn| store.forget(conn, seq))
    }

    /// Inserts that met another row under their id, the oldest first.
    ///
    #[doc = include_str!("../../docs/examples/replica_met.md")]
    ///
    /// # Errors
    ///
    /// A failed statement.
    pub fn met(&self) -> Result<Vec<Met>, ReplicaError> {
        self.read(Store::met)
    }

    /// Forgets the one of this number; `false` if there is none.
    ///
    #[doc = include_str!("../../docs/examples/replica_met.md")]
    ///
    /// # Errors
    ///
    /// A failed statement.
    pub fn drop_met(&self, seq: i64) -> Result<bool, ReplicaError> {
        self.transact(|store, conn| store.forget_met(conn, seq))
    }

    /// Removes what the account has in the file: its rows, what the server has rejected of its edits, and from where
    /// the next download goes on. Whoever opens the file then begins with empty tables. A sync or a run
    /// that is still going on ends with an error, and so does whatever is written on a connection that is still open,
    /// until the file is opened again: it would be nobody's, or the next account's.
    ///
    #[doc = include_str!("../../docs/examples/replica_sign_out.md")]
    ///
    /// # Errors
    ///
    /// Edits that the server has not answered, which would be lost: sync first, or
    /// [`discard_pending`](Replica::discard_pending). A file that serves other devices. A failed statement.
    pub fn sign_out(&self) -> Result<(), ReplicaError> {
        self.transact(Store::sign_out)
    }

    /// Forgets the edits that the server has not answered, and returns how many changes that were. The next sync
    /// downloads from the beginning and so takes them back; one that was on its way may still count.
    ///
    #[doc = include_str!("../../docs/examples/replica_sign_out.md")]
    ///
    /// # Errors
    ///
    /// A file that serves other devices, whose changes wait here, too. A failed statement.
    pub fn discard_pending(&self) -> Result<u64, ReplicaError> {
        self.transact(Store::discard_pending)
    }

    /// Reads what is the account's.
    fn read<T>(
        &self,
        work: impl FnOnce(&Store, &mut SqliteConnection) -> Result<T, ReplicaError>,
    ) -> Result<T, ReplicaError> {
        let shared = &self.shared;
        let mut conn = shared.conn.lock().unwrap_or_else(PoisonError::into_inner);
        shared.store.read(&mut conn, work)
    }

    /// Writes what is the account's.
    fn transact<T>(
        &self,
        work: impl FnOnce(&Store, &mut SqliteConnection) -> Result<T, ReplicaError>,
    ) -> Result<T, ReplicaError> {
        let shared = &self.shared;
        let mut conn = shared.conn.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, counted) = shared.store.transact(&mut conn, |store, conn| {
            let done = work(store, conn)?;
            Ok((done, store.count(conn)?))
        })?;
        shared.monitor.update(counted);
        Ok(done)
    }
}
