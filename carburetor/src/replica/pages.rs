//! Pages as they come, each on top of what the file had when it was asked for.

use super::error::ReplicaError;
use super::stage::{self, Staged};
use super::status::Phase;
use super::sync::Shared;
use super::transport::{Lines, TransportError};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::MutexGuard;

type Turn<'s> = MutexGuard<'s, ()>;

/// The pages of a download, or of a feed.
pub(super) struct Pages<'s, 'l> {
    shared: &'s Shared,
    /// Held until what has come is shown.
    turn: Option<Turn<'s>>,
    /// The token that the next page goes on from.
    base: Option<String>,
    lines: Lines<'l>,
    /// Rows that have come and are not shown.
    rows: u64,
}

impl Shared {
    /// Waits until nobody else is between two pages, for the token to go on from.
    pub(super) async fn turn(&self) -> Result<(Turn<'_>, Option<String>), ReplicaError> {
        let turn = self.turns.show.lock().await;
        let since = self
            .run(|store, conn| stage::since(conn, &store.group))
            .await?;
        Ok((turn, since))
    }
}

impl<'s, 'l> Pages<'s, 'l> {
    pub(super) fn new(
        shared: &'s Shared,
        turn: Turn<'s>,
        since: Option<String>,
        lines: Lines<'l>,
    ) -> Self {
        shared.monitor.enter(Phase::Downloading { rows: 0 });
        Pages {
            shared,
            turn: Some(turn),
            base: since,
            lines,
            rows: 0,
        }
    }

    /// The next message; none at the end of a feed. Nothing is lost where it is no longer polled.
    pub(super) async fn line(&mut self) -> Result<Option<Bytes>, ReplicaError> {
        match self.lines.next().await {
            Some(line) => Ok(Some(line?)),
            None if self.turn.is_none() => Ok(None),
            None => Err(TransportError::Unreadable(
                "the download ends before its last page; the next sync goes on from there".into(),
            )
            .into()),
        }
    }

    /// Stages a message, and shows what is of one instant. `None`: the file stands elsewhere than where the message goes on from, so that it is
    /// to be asked for again.
    pub(super) async fn take(&mut self, line: Bytes) -> Result<Option<Staged>, ReplicaError> {
        let shared = self.shared;
        if self.turn.is_none() {
            self.turn = Some(shared.turns.show.lock().await);
        }
        let base = self.base.take();
        let staged =
            shared.transact(
                move |store, conn| match stage::since(conn, &store.group)? == base {
                    true => stage::take(conn, store, &line).map(Some),
                    false => Ok(None),
                },
            );
        let Some(staged) = staged.await? else {
            return Ok(None);
        };
        self.base = Some(staged.next.clone());
        self.rows += staged.rows;
        match staged.more {
            true => self.resume(),
            false => {
                self.rows = 0;
                self.turn = None;
                shared.count().await?;
            }
        }
        Ok(Some(staged))
    }

    /// The token that the next message goes on from.
    pub(super) fn from(&self) -> Option<String> {
        self.base.clone()
    }

    /// Whether the file still stands where the next message goes on from.
    pub(super) async fn is_current(&mut self) -> Result<bool, ReplicaError> {
        let since = self
            .shared
            .run(|store, conn| stage::since(conn, &store.group))
            .await?;
        Ok(since == self.base)
    }

    /// Tells how it goes on.
    pub(super) fn resume(&self) {
        let monitor = &self.shared.monitor;
        match self.turn {
            Some(_) => monitor.enter(Phase::Downloading { rows: self.rows }),
            None => monitor.rest(None),
        }
    }
}
