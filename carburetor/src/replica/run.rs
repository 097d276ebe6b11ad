//! Following the server: what others write comes at once, and what is edited goes at once.

use super::backoff::Backoff;
use super::edits::Edits;
use super::error::ReplicaError;
use super::meter;
use super::pages::Pages;
use super::status::Monitor;
use super::sync::{ROWS, Shared, Synced};
use super::transport::{AnyTransport, TransportError};
use futures_util::future::{Either, select};
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

/// How often the server is asked for what it holds.
const ASK: Duration = Duration::from_secs(5);

/// The status while a run lasts.
struct Following<'m>(&'m Monitor);

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.0.set_live(false);
        self.0.rest(None);
    }
}

impl Shared {
    /// Follows the server until the file fails. Tries again after a failure, at once when `woken`.
    pub(super) async fn follow(
        &self,
        transport: &dyn AnyTransport,
        path: &str,
        woken: &Notify,
    ) -> Result<Infallible, ReplicaError> {
        let _following = Following(&self.monitor);
        let span = meter::running(&self.store.group);
        self.follow_within(transport, path, woken)
            .instrument(span)
            .await
    }

    async fn follow_within(
        &self,
        transport: &dyn AnyTransport,
        path: &str,
        woken: &Notify,
    ) -> Result<Infallible, ReplicaError> {
        let mut backoff = Backoff::default();
        let mut edits = Edits::watch(path).await?;
        loop {
            let ended = self.live(transport, &mut edits, &mut backoff).await;
            self.monitor.set_live(false);
            let error = match ended {
                Ok(()) => continue,
                Err(error) if error.is_of_file() => return Err(error),
                Err(error) => error,
            };
            self.monitor.rest(Some(&error));
            let pause = backoff.next();
            tracing::warn!(%error, again_in = ?pause, "the server is not followed");
            let (pause, woken) = (pin!(tokio::time::sleep(pause)), pin!(woken.notified()));
            // What is edited meanwhile shows in the status, and goes with the next attempt.
            let edited = pin!(async {
                while edits.next(self, None).await.is_ok() && self.end_stretch().await.is_ok() {}
            });
            select(select(pause, woken), edited).await;
        }
    }

    /// Follows one feed until it fails, or the file stands elsewhere than where the feed goes on from.
    async fn live(
        &self,
        transport: &dyn AnyTransport,
        edits: &mut Edits,
        backoff: &mut Backoff,
    ) -> Result<(), ReplicaError> {
        if let Err(error) = self.send(transport).await {
            self.catch_up(transport, &error).await?;
            return Err(error);
        }
        let (turn, since) = self.turn().await?;
        let lines = match transport.feed(since.as_deref(), ROWS).await {
            Err(refused) if self.forgets(since.as_ref(), &refused).await? => return Ok(()),
            lines => lines?,
        };
        let mut pages = Pages::new(self, turn, since.clone(), lines);
        let mut due = Instant::now();
        let mut brought = Synced::default();
        loop {
            if Instant::now() >= due {
                self.ask(transport, &mut brought).await?;
                due = Instant::now() + ASK;
            }
            let from = pages.from();
            let message = {
                let next = (pin!(edits.next(self, Some(&from))), pin!(pages.message()));
                match timeout_at(due, select(next.0, next.1)).await {
                    Err(_) => continue,
                    Ok(Either::Left((edited, _))) => {
                        edited?;
                        None
                    }
                    Ok(Either::Right((message, _))) => Some(message?),
                }
            };
            match message {
                None => {
                    self.send(transport).await?;
                    if !pages.is_current().await? {
                        return Ok(());
                    }
                    pages.resume();
                }
                Some(None) => {
                    let ended = "the server has ended the feed, which is opened again";
                    return Err(TransportError::Offline(ended.into()).into());
                }
                Some(Some(message)) => match pages.take(message).await? {
                    None => return Ok(()),
                    Some(staged) if staged.more => brought.add(&staged),
                    Some(staged) => {
                        brought.add(&staged);
                        self.note(std::mem::take(&mut brought)).await?;
                        backoff.reset();
                        self.monitor.set_live(true);
                        self.monitor.rest(None);
                    }
                },
            }
        }
    }
    /// Shows what others have written, though the server took no upload.
    async fn catch_up(
        &self,
        transport: &dyn AnyTransport,
        unsent: &ReplicaError,
    ) -> Result<(), ReplicaError> {
        if unsent.is_of_file() {
            return Ok(());
        }
        let mut synced = Synced::default();
        let shown = self.download(transport, &mut synced).await;
        self.note(synced).await?;
        match shown {
            Err(error) if error.is_of_file() => Err(error),
            // It is the upload's failure that is told.
            _ => Ok(()),
        }
    }

    /// Uploads what was edited.
    async fn send(&self, transport: &dyn AnyTransport) -> Result<(), ReplicaError> {
        let mut synced = Synced::default();
        let sent = self.upload(transport, &mut synced).await;
        if synced != Synced::default() {
            self.note(synced).await?;
        }
        sent
    }
}
