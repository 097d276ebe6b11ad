//! Fetching all the time: by the server's feed, or by downloads where it says nothing.

use super::backoff::Backoff;
use super::edits::Signals;
use super::error::ReplicaError;
use super::monitor::Feed;
use super::obstacle::{Cause, Next, Task};
use super::pages::Pages;
use super::portion::Of;
use super::run::wait;
use super::sync::Shared;
use super::synced::Synced;
use super::transport::{AnyTransport, TransportError};
use futures_util::future::{Either, select};
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// How long a feed may say nothing before it stands: its first message comes at once.
const SILENCE: Duration = Duration::from_secs(20);

/// How often is downloaded where the feed says nothing, and how long until it is tried again.
const POLL: Duration = Duration::from_secs(15);
const FEED_AGAIN: Duration = Duration::from_secs(300);

/// What the next attempt is.
enum Way {
    Feed,
    /// A download first: it tells whether it is for the feed alone that the one before has failed.
    Download,
    Polls,
}

/// How a feed ended that has not failed.
enum Ended {
    /// The file stands elsewhere than where the feed goes on from.
    Moved,
    /// It said nothing before it stood.
    Silent,
}

impl Shared {
    /// Shows what others write. Where the feed doesn't stand although downloads succeed, it downloads at an interval.
    pub(super) async fn keep_fetching(
        &self,
        transport: &dyn AnyTransport,
        woken: &Notify,
        signals: &Signals,
    ) -> Result<Infallible, ReplicaError> {
        let mut backoff = Backoff::default();
        let mut way = Way::Feed;
        // A download has succeeded since the feed failed.
        let mut has_fetched = false;
        // A feed was opened again because an upload had ended meanwhile; that is done once, or many uploads would keep it from standing.
        let mut has_been_late = false;
        loop {
            let failed = match way {
                Way::Feed => {
                    let mut stood = false;
                    let mut stand = || {
                        (stood, has_fetched) = (true, false);
                        backoff.reset();
                        self.monitor.set_feed(Feed::Stands);
                        self.monitor.done(Task::Follow);
                        self.succeeded(Task::Download, woken);
                    };
                    let ended = self
                        .live(transport, signals, &mut has_been_late, &mut stand)
                        .await;
                    self.monitor.set_feed(Feed::Absent);
                    match ended {
                        Ok(Ended::Moved) => continue,
                        Ok(Ended::Silent) => {
                            let silent = ReplicaError::from(TransportError::Offline(
                                "its feed says nothing, as if something on the way held it back until it is complete".into(),
                            ));
                            self.late(Cause::Silent, &silent);
                            way = Way::Polls;
                            continue;
                        }
                        Err(error) if error.is_of_file() => return Err(error),
                        Err(error) if has_fetched => {
                            self.late(Cause::of(&error), &error);
                            way = Way::Polls;
                            continue;
                        }
                        Err(error) => {
                            if !stood {
                                way = Way::Download;
                            }
                            error
                        }
                    }
                }
                Way::Download => match self.fetch(transport).await {
                    Ok(()) => {
                        backoff.reset();
                        self.succeeded(Task::Download, woken);
                        (way, has_fetched) = (Way::Feed, true);
                        continue;
                    }
                    Err(error) => error,
                },
                Way::Polls => match self.poll(transport, &mut backoff, woken).await {
                    Ok(()) => {
                        (way, has_fetched) = (Way::Feed, true);
                        continue;
                    }
                    Err(error) => {
                        way = Way::Download;
                        error
                    }
                },
            };
            let cause = Cause::of(&failed);
            self.pause(Task::Download, cause, failed, &mut backoff, woken)
                .await?;
        }
    }

    /// The feed doesn't stand.
    fn late(&self, cause: Cause, error: &ReplicaError) {
        tracing::warn!(%error, "the feed says nothing: downloads at an interval take its place");
        self.monitor
            .failed(Task::Follow, cause, error, Next::polls(Duration::ZERO));
    }

    /// Downloads at an interval, until it is time for the feed again.
    async fn poll(
        &self,
        transport: &dyn AnyTransport,
        backoff: &mut Backoff,
        woken: &Notify,
    ) -> Result<(), ReplicaError> {
        let again = Instant::now() + FEED_AGAIN;
        loop {
            self.fetch(transport).await?;
            backoff.reset();
            self.succeeded(Task::Download, woken);
            self.monitor.set_feed(Feed::Polls);
            if Instant::now() >= again {
                return Ok(());
            }
            self.monitor.expect(Task::Follow, Next::polls(POLL));
            wait(POLL, woken).await;
        }
    }

    /// One download, noted.
    async fn fetch(&self, transport: &dyn AnyTransport) -> Result<(), ReplicaError> {
        self.turns.doubt.certain().await;
        let mut synced = Synced::default();
        let came = self.download(transport, &mut synced).await;
        if synced != Synced::default() {
            self.note(synced).await?;
        }
        came
    }

    /// Follows one feed until it ends, and tells each time that it `stands`.
    async fn live(
        &self,
        transport: &dyn AnyTransport,
        signals: &Signals,
        has_been_late: &mut bool,
        stands: &mut (dyn FnMut() + Send),
    ) -> Result<Ended, ReplicaError> {
        let known = self.turns.doubt.certain().await;
        let working = self.monitor.begin(Task::Download);
        // Nobody else has to wait for a feed that says nothing yet.
        let since = self.turn().await?.1;
        let portion = self.portion(Of::Page).await?;
        let opened = timeout(SILENCE, transport.feed(since.as_deref(), portion.limit()));
        let lines = match opened.await {
            Err(_) => return Ok(Ended::Silent),
            Ok(Err(refused)) if self.forgets(since.as_ref(), &refused).await? => {
                return Ok(Ended::Moved);
            }
            Ok(lines) => lines?,
        };
        let mut pages = Pages::new(self, None, since.clone(), lines);
        let mut working = Some(working);
        let mut brought = Synced::default();
        loop {
            let message = {
                let (message, moved) = (pin!(pages.message()), pin!(signals.moved.notified()));
                let next = select(message, moved);
                let next = match working {
                    Some(_) => timeout(SILENCE, next).await,
                    None => Ok(next.await),
                };
                match next {
                    Err(_) => return Ok(Ended::Silent),
                    Ok(Either::Left((message, _))) => Some(message),
                    Ok(Either::Right(_)) => None,
                }
            };
            let Some(message) = message else {
                match pages.is_current().await? {
                    true => continue,
                    false => return Ok(Ended::Moved),
                }
            };
            let message = match message {
                Ok(Some(message)) => message,
                Ok(None) => {
                    let ended = "the server has ended the feed, which is opened again";
                    return Err(TransportError::Offline(ended.into()).into());
                }
                Err(error) => {
                    self.page_failed(portion, pages.came(), &error).await?;
                    return Err(error);
                }
            };
            let is_late = self.turns.doubt.certain().await != known;
            if is_late && working.is_some() && !std::mem::replace(has_been_late, true) {
                return Ok(Ended::Moved);
            }
            let Some(staged) = pages.take(message).await? else {
                return Ok(Ended::Moved);
            };
            brought.add(&staged);
            if !staged.more {
                self.note(std::mem::take(&mut brought)).await?;
                if working.take().is_some() {
                    self.pages_came(portion, pages.came()).await?;
                }
                *has_been_late = false;
                stands();
            }
        }
    }
}
