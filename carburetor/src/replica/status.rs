//! What a replica is doing.

use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, BIND, Bind, as_integer};
use super::sync::Shared;
use super::transport::TransportError;
use chrono::{DateTime, Utc};
use diesel::sqlite::SqliteConnection;
use futures_util::stream::{Stream, unfold};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// What a replica is doing, and what is still to be done.
///
#[doc = include_str!("../../docs/examples/replica_status.md")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// What it is doing.
    pub phase: Phase,
    /// How many changes the server hasn't decided on, those that a hub holds among them.
    pub pending: u64,
    /// How many changes the server rejected, which the program has neither dropped nor tried again.
    pub rejected: u64,
    /// When the replica last showed all that the server had.
    pub last_synced: Option<DateTime<Utc>>,
}

/// What a replica is doing.
///
#[doc = include_str!("../../docs/examples/replica_status.md")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Nothing: nobody has called [`Replica::sync`](super::Replica::sync) or [`Replica::run`](super::Replica::run), or the call is over.
    #[default]
    Idle,
    /// The last attempt failed. [`Replica::run`](super::Replica::run) tries again after a while.
    Offline {
        /// Why, for people.
        reason: String,
        /// The HTTP status, if it was the server that refused: after 401 the program signs in.
        refused: Option<u16>,
    },
    /// It sends what was edited.
    Uploading,
    /// Pages come.
    Downloading {
        /// Rows of the pages so far, which are shown together when the last one is here.
        rows: u64,
    },
    /// The feed stands: what others write comes as soon as it is written.
    Live,
}

/// Keeps the status, and tells it.
pub(super) struct Monitor {
    status: watch::Sender<Status>,
    /// The feed stands.
    live: AtomicBool,
}

impl Monitor {
    pub(super) fn new(status: Status) -> Self {
        Monitor {
            status: watch::Sender::new(status),
            live: AtomicBool::new(false),
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.status.send_modify(|status| status.phase = phase);
    }

    /// From now on the feed stands, or does no longer.
    pub(super) fn set_live(&self, is_live: bool) {
        self.live.store(is_live, Ordering::Relaxed);
    }

    /// A task has ended: what remains is the feed, if it stands, or the reason why nothing does.
    pub(super) fn rest(&self, failed: Option<&ReplicaError>) {
        self.enter(match failed {
            _ if self.live.load(Ordering::Relaxed) => Phase::Live,
            Some(error) => Phase::Offline {
                reason: error.to_string(),
                refused: match error {
                    ReplicaError::Transport(TransportError::Refused { status, .. }) => {
                        Some(*status)
                    }
                    _ => None,
                },
            },
            None => Phase::Idle,
        });
    }

    /// What has been counted in the file.
    pub(super) fn update(&self, counted: Status) {
        self.status.send_modify(|status| {
            let phase = std::mem::take(&mut status.phase);
            *status = Status { phase, ..counted };
        });
    }

    /// The status now, and each time that it changes.
    pub(super) fn watch(&self) -> impl Stream<Item = Status> + Send + use<> {
        let mut receiver = self.status.subscribe();
        receiver.mark_changed();
        unfold(receiver, |mut receiver| async move {
            receiver.changed().await.ok()?;
            let status = receiver.borrow_and_update().clone();
            Some((status, receiver))
        })
    }
}

impl Shared {
    /// Counts what waits, for whoever watches.
    pub(super) async fn count(&self) -> Result<(), ReplicaError> {
        let counted = self.run(Store::count).await?;
        self.monitor.update(counted);
        Ok(())
    }
}

impl Store {
    /// What the file says of the status.
    pub(super) fn count(&self, conn: &mut SqliteConnection) -> Result<Status, ReplicaError> {
        let group = || [Bind::text(&self.group)];
        let rejected = format!("select count(*) from carburetor_rejected where in_group = {BIND}");
        let synced = format!("select synced_ms from carburetor_group where name = {BIND}");
        let rejected = as_integer(&query::value(conn, &rejected, group())?);
        let synced = query::value(conn, &synced, group())?;
        Ok(Status {
            phase: Phase::Idle,
            pending: self.pending(conn)?,
            rejected: u64::try_from(rejected).unwrap_or(0),
            last_synced: match synced {
                Some(_) => DateTime::from_timestamp_millis(as_integer(&synced)),
                None => None,
            },
        })
    }
}
