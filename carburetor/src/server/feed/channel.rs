//! One scope's changes: read once for all who follow it.

use crate::download::Page;
use crate::server::apart::limited;
use crate::server::database::Database;
use crate::server::problem::Problem;
use crate::server::room::{Share, Told};
use crate::server::served::{Sent, Served, ServedGroup};
use crate::token::Token;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

/// How many pages a follower may be behind; then he reads by himself what he has missed.
const BACKLOG: usize = 16;

/// How long a channel rests between two readings, and how many times as long as the reading took: what is committed meanwhile comes in one page, and those who
/// write have the database for themselves for most of the time.
const REST: Duration = Duration::from_millis(5);
const SHARE: u32 = 4;

/// The longest rest: a reading that was held up once shall not silence the followers.
const MOST: Duration = Duration::from_secs(1);

/// How long whoever has begun to read then rests.
pub(super) fn rest(begun: Instant) -> Duration {
    (begun.elapsed() * SHARE).clamp(REST, MOST)
}

/// How long a database that failed is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// A token that is older than this is replaced even where nothing has changed, so that it doesn't grow older than what is known of removals.
const AGE: Duration = Duration::from_secs(3600);

/// A follower who has everything up to a token.
pub(super) struct Join {
    pub(super) since: Token,
    pub(super) answer: oneshot::Sender<Joined>,
}

/// What becomes of him.
pub(super) enum Joined {
    /// What he gets at once, and what comes.
    Live(Option<Arc<Told>>, broadcast::Receiver<Sent>),
    /// More than a page has changed: he reads by himself, and joins again.
    Behind,
}

/// What the followers of one scope get.
pub(super) struct Channel<D, S> {
    served: Arc<Served<D>>,
    scope: Arc<S>,
    share: Arc<Share>,
    followers: broadcast::Sender<Sent>,
    /// The followers have everything up to here. None if there are none.
    since: Option<Token>,
    /// What the last page said.
    said: String,
    renewed: Instant,
}

impl<D: Database, S: Send + Sync + 'static> Channel<D, S> {
    pub(super) fn new(served: Arc<Served<D>>, scope: Arc<S>, share: Arc<Share>) -> Self {
        Channel {
            served,
            scope,
            share,
            followers: broadcast::Sender::new(BACKLOG),
            since: None,
            said: String::new(),
            renewed: Instant::now(),
        }
    }

    /// Serves those who join, until nobody can join any more.
    pub(super) async fn run<G>(
        mut self,
        mut joins: mpsc::UnboundedReceiver<Join>,
        woken: Arc<Notify>,
    ) where
        G: ServedGroup<D::Connection, Scope = S>,
    {
        loop {
            let renewal = self.renewed + AGE;
            tokio::select! {
                join = joins.recv() => match join {
                    Some(Join { since, answer }) => {
                        // Whoever doesn't wait for the answer has gone.
                        let _ = answer.send(self.join::<G>(since).await);
                    }
                    None => return,
                },
                () = woken.notified() => {
                    let begun = Instant::now();
                    self.tell::<G>(false).await;
                    sleep(rest(begun)).await;
                }
                // Of a channel that nobody follows there is nothing to renew.
                () = sleep_until(renewal), if self.since.is_some() => self.tell::<G>(true).await,
            }
        }
    }

    async fn read<G>(&self, since: Token) -> Result<Page, Problem>
    where
        G: ServedGroup<D::Connection, Scope = S>,
    {
        // The semaphore is never closed.
        let _turn = self.served.readers.acquire().await;
        let (served, scope) = (Arc::clone(&self.served), Arc::clone(&self.scope));
        let limits = served.limits;
        limited(limits.time, async move {
            G::page(&served, &scope, since, limits.page).await
        })
        .await
    }

    /// A page for all, if there is room for one.
    fn shared(&self, page: Page) -> Option<Arc<Told>> {
        let room = self.share.common(page.json().len())?;
        Some(Arc::new(Told::new(page, room)))
    }

    /// Lets a follower in. What others are told from now on is based on what is older than what he has: nothing is missing in it.
    async fn join<G>(&mut self, since: Token) -> Joined
    where
        G: ServedGroup<D::Connection, Scope = S>,
    {
        let page = match self.read::<G>(since).await {
            Ok(page) if !page.more() => page,
            // He meets the problem himself.
            _ => return Joined::Behind,
        };
        let (token, tag) = (page.next().parse().ok(), page.tag());
        // Where nothing is new, nothing needs room.
        let first = match page.is_empty() {
            true => None,
            false => match self.shared(page) {
                Some(page) => Some(page),
                None => return Joined::Behind,
            },
        };
        if self.followers.receiver_count() == 0 || self.since.is_none() {
            self.since = token;
            self.said = tag;
            self.renewed = Instant::now();
        }
        Joined::Live(first, self.followers.subscribe())
    }

    /// Reads what has changed, and tells it to all; also nothing, to renew their tokens. What can't be read for longer than a request may take, or until
    /// somebody mends it, ends their feeds: whoever comes back is told why, and knows that he isn't up to date.
    async fn tell<G>(&mut self, renew: bool)
    where
        G: ServedGroup<D::Connection, Scope = S>,
    {
        let begun = Instant::now();
        loop {
            if self.followers.receiver_count() == 0 {
                self.since = None;
            }
            let Some(since) = self.since.clone() else {
                return;
            };
            match self.read::<G>(since).await {
                Ok(page) => {
                    let (since, tag) = (page.next().parse().ok(), page.tag());
                    // Rows that were written a moment ago come again.
                    let is_told = renew || !(page.is_empty() || tag == self.said);
                    let shared = match page.more() {
                        true => None,
                        false if !is_told => {
                            self.since = since;
                            return;
                        }
                        false => self.shared(page),
                    };
                    let Some(page) = shared else {
                        // Each reads by himself, at his own pace.
                        return self.leave();
                    };
                    (self.since, self.said, self.renewed) = (since, tag, Instant::now());
                    // Nobody is there to take it: the next one who joins reads for himself.
                    let _ = self.followers.send(Ok(page));
                    return;
                }
                Err(problem) => {
                    let (group, code) = (&self.served.name, problem.code());
                    if problem.may_pass() && begun.elapsed() < self.served.limits.time {
                        tracing::warn!(%group, code, "changes can't be read; again in a moment");
                        sleep(PAUSE).await;
                        continue;
                    }
                    tracing::error!(%group, code, "changes can't be read: whoever follows is told so when he comes back");
                    let _ = self.followers.send(Err(problem.into()));
                    return self.leave();
                }
            }
        }
    }

    /// Lets go of those who follow.
    fn leave(&mut self) {
        self.followers = broadcast::Sender::new(BACKLOG);
        (self.since, self.renewed) = (None, Instant::now());
    }
}
