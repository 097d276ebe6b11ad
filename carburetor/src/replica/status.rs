//! What a replica is doing.

use super::clock;
use super::error::ReplicaError;
use super::file::Store;
use super::obstacle::Obstacle;
use super::query::{self, BIND, Bind, as_integer};
use super::rejected::OWN;
use super::sync::Shared;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sqlite::SqliteConnection;

/// What a replica is doing, what is still to be done, and what stands in the way.
///
#[doc = include_str!("../../docs/examples/replica_status.md")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// What it is doing.
    pub phase: Phase,
    /// How many changes the server hasn't decided on, those that a hub holds among them.
    pub pending: u64,
    /// How many changes [`Replica::rejected`](super::Replica::rejected) has, which the program has neither dropped nor tried again.
    pub rejected: u64,
    /// How many rows of the server's can't be shown: [`Replica::unreadable`](super::Replica::unreadable) has each, and why.
    pub unreadable: u64,
    /// How many edits in the file this replica doesn't send: they are of another [group of the file](crate::replica#one-file), or of a table that the
    /// group no longer has, and wait until whoever has those syncs.
    pub elsewhere: u64,
    /// What the replica adds to the device's time, where that is wrong by more than a minute as far as the server has shown: more than zero where the device is
    /// behind. Edits get the right time from then on; what was edited before counts as older, or newer, than it is. None once
    /// a sync has found the device's clock right again: where it was behind, one that sends an edit.
    pub clock_correction: Option<TimeDelta>,
    /// When the replica last showed all that the server had.
    pub last_synced: Option<DateTime<Utc>>,
    /// What stands in the way, at most one obstacle for each [`Task`](super::Task): why the last attempt failed, since when, and what comes next.
    /// Empty when all that was tried last has succeeded, and when nobody syncs, but for a change in the file that can't be read: that is told from the
    /// opening on. In a replica that is [`Live`](Phase::Live) an upload may still fail.
    pub obstacles: Vec<Obstacle>,
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
    /// The last attempt failed. [`Replica::run`](super::Replica::run) tries again after a while; [`Status::obstacles`] says more.
    Offline {
        /// Why, for people.
        reason: String,
        /// The HTTP status, if it was the server that refused: after 401 the program signs in.
        refused: Option<u16>,
    },
    /// It asks the server for what is new, and has no answer yet.
    Connecting,
    /// It sends what was edited.
    Uploading,
    /// Pages come.
    Downloading {
        /// Rows of the pages so far, which are shown together when the last one is here.
        rows: u64,
    },
    /// The feed stands: what others write comes as soon as it is written.
    Live,
    /// The feed says nothing, so that what others write is downloaded at an interval; [`Status::obstacles`] says more.
    Polling,
}

impl Shared {
    /// Counts what waits, for whoever watches.
    pub(super) async fn count(&self) -> Result<(), ReplicaError> {
        let counted = self.read(Store::count).await?;
        self.monitor.update(counted);
        Ok(())
    }
}

impl Store {
    /// What the file says of the status.
    pub(super) fn count(&self, conn: &mut SqliteConnection) -> Result<Status, ReplicaError> {
        let group = || [Bind::text(&self.group)];
        let rejected = format!("select count(*) from carburetor_rejected where {OWN}");
        let synced = format!("select synced_ms from carburetor_group where name = {BIND}");
        let rejected = as_integer(&query::value(conn, &rejected, self.own())?);
        let synced = query::value(conn, &synced, group())?;
        Ok(Status {
            pending: self.pending(conn)?,
            rejected: u64::try_from(rejected).unwrap_or(0),
            unreadable: self.count_unreadable(conn)?,
            clock_correction: clock::correction(conn)?,
            elsewhere: self.elsewhere(conn)?,
            last_synced: match synced {
                Some(_) => DateTime::from_timestamp_millis(as_integer(&synced)),
                None => None,
            },
            ..Status::default()
        })
    }
}
