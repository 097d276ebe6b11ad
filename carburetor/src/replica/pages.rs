//! Pages as they come, each on top of what the file had when it was asked for.

use super::error::ReplicaError;
use super::file::Store;
use super::message::Message;
use super::stage::{self, Staged};
use super::sync::Shared;
use super::token;
use super::transport::{Lines, TransportError};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::MutexGuard;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How many pages that bring nothing may lead to themselves: a round that is not of one instant begins again.
const SAME: u32 = 100;

type Turn<'s> = MutexGuard<'s, ()>;

/// The pages of a download, or of a feed.
pub(super) struct Pages<'s, 'l> {
    shared: &'s Shared,
    /// Held until what has come is shown.
    turn: Option<Turn<'s>>,
    /// The token that the next page goes on from.
    base: Option<String>,
    ahead: Ahead<'l>,
    /// Rows that have come and are not shown.
    rows: u64,
    came: Came,
    /// How many pages in a row have brought nothing and led to themselves.
    same: u32,
}

/// What has come of pages so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Came {
    pub(super) pages: u32,
    /// The most rows and removals of one.
    pub(super) most: u64,
    /// The longest wait for one.
    pub(super) longest: Duration,
}

/// One message is read while the one before it is written.
struct Ahead<'l> {
    store: Arc<Store>,
    lines: Lines<'l>,
    next: Option<Next>,
}

/// What comes next.
enum Next {
    Message(JoinHandle<Result<Message, ReplicaError>>),
    Failure(TransportError),
    End,
}

impl Ahead<'_> {
    /// Waits until it is known what comes next. Nothing is lost where it is no longer polled.
    async fn look(&mut self) -> &mut Next {
        if self.next.is_none() {
            let line = self.lines.next().await;
            self.next = Some(match line {
                Some(Ok(line)) => Next::Message(self.read(line)),
                Some(Err(error)) => Next::Failure(error),
                None => Next::End,
            });
        }
        self.next.get_or_insert(Next::End)
    }

    fn read(&self, line: Bytes) -> JoinHandle<Result<Message, ReplicaError>> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || Message::read(&store, &line))
    }

    /// The next message; none at the end. Nothing is lost where it is no longer polled.
    async fn message(&mut self) -> Result<Option<Message>, ReplicaError> {
        let message = match self.look().await {
            Next::Message(reading) => Some(reading.await.map_err(|_| ReplicaError::Stopped)?),
            _ => None,
        };
        match (message, self.next.take()) {
            (Some(message), _) => message.map(Some),
            (None, Some(Next::Failure(error))) => Err(error.into()),
            _ => Ok(None),
        }
    }
}

impl Shared {
    /// Waits until nobody else is between two pages, for the token to go on from.
    pub(super) async fn turn(&self) -> Result<(Turn<'_>, Option<String>), ReplicaError> {
        let turn = self.turns.show.lock().await;
        let since = self.since().await?;
        Ok((turn, since))
    }

    async fn since(&self) -> Result<Option<String>, ReplicaError> {
        self.read(|store, conn| Ok(token::since(conn, &store.group)?))
            .await
    }
}

impl<'s, 'l> Pages<'s, 'l> {
    pub(super) fn new(
        shared: &'s Shared,
        turn: Option<Turn<'s>>,
        since: Option<String>,
        lines: Lines<'l>,
    ) -> Self {
        Pages {
            shared,
            turn,
            base: since,
            ahead: Ahead {
                store: shared.store.clone(),
                lines,
                next: None,
            },
            rows: 0,
            came: Came::default(),
            same: 0,
        }
    }

    /// The next message; none at the end of a feed. Nothing is lost where it is no longer polled.
    pub(super) async fn message(&mut self) -> Result<Option<Message>, ReplicaError> {
        let begun = Instant::now();
        let message = self.ahead.message().await?;
        self.came.longest = self.came.longest.max(begun.elapsed());
        match message {
            None if self.turn.is_some() => Err(TransportError::Unreadable(
                "the download ends before its last page; the next sync goes on from there".into(),
            )
            .into()),
            message => Ok(message),
        }
    }

    /// Stages a message, and shows what is of one instant. `None`: the file stands elsewhere than where the message goes on from, so that it is
    /// to be asked for again.
    pub(super) async fn take(&mut self, message: Message) -> Result<Option<Staged>, ReplicaError> {
        let shared = self.shared;
        if self.turn.is_none() {
            self.turn = Some(shared.turns.show.lock().await);
        }
        let base = self.base.take();
        let from = base.clone();
        let staged =
            shared.transact(
                move |store, conn| match token::since(conn, &store.group)? == base {
                    true => stage::take(conn, store, message).map(Some),
                    false => Ok(None),
                },
            );
        let staged = match select(pin!(staged), pin!(self.ahead.look())).await {
            Either::Left((staged, _)) => staged,
            Either::Right((_, staged)) => staged.await,
        };
        let Some(staged) = staged? else {
            return Ok(None);
        };
        let news = staged.rows + staged.removed;
        self.same = match staged.more && news == 0 && from.as_ref() == Some(&staged.next) {
            true => self.same + 1,
            false => 0,
        };
        if self.same > SAME {
            let same = "pages lead to themselves again and again: the server has to be mended";
            return Err(TransportError::Unreadable(same.into()).into());
        }
        self.base = Some(staged.next.clone());
        self.rows += staged.rows;
        self.came.pages += 1;
        shared.turns.reached.store(true, Ordering::Relaxed);
        self.came.most = self.came.most.max(news);
        match staged.more {
            true => shared.monitor.rows(Some(self.rows)),
            false => {
                self.rows = 0;
                self.turn = None;
                shared.monitor.rows(None);
                shared.count().await?;
            }
        }
        Ok(Some(staged))
    }

    /// What has come so far.
    pub(super) fn came(&self) -> Came {
        self.came
    }

    /// Whether the file still stands where the next message goes on from.
    pub(super) async fn is_current(&mut self) -> Result<bool, ReplicaError> {
        Ok(self.shared.since().await? == self.base)
    }
}
