//! A run: what is edited goes at once, and what others write comes at once. Two tasks that don't wait for each other, and a third one that
//! notices what the program writes.

use super::backoff::Backoff;
use super::edits::Signals;
use super::error::ReplicaError;
use super::meter;
use super::monitor::Monitor;
use super::obstacle::{Cause, Next, Task};
use super::sync::Shared;
use super::synced::Synced;
use super::transport::AnyTransport;
use futures_util::future::{Either, select, try_join3};
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::Instrument;

/// How often the server is asked for what it holds.
const ASK: Duration = Duration::from_secs(5);

/// The status while a run lasts.
struct Following<'m>(&'m Monitor);

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.0.rest();
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
        let signals = Signals::default();
        // What was sent before, perhaps by a program that has ended, is sent first.
        self.turns.doubt.seek();
        let tasks = try_join3(
            self.watch(path, &signals),
            self.keep_sending(transport, woken, &signals),
            self.keep_fetching(transport, woken, &signals),
        );
        let span = meter::running(&self.store.group);
        tasks.instrument(span).await.map(|(never, ..)| never)
    }

    /// Uploads what is edited, and asks for what a hub holds.
    async fn keep_sending(
        &self,
        transport: &dyn AnyTransport,
        woken: &Notify,
        signals: &Signals,
    ) -> Result<Infallible, ReplicaError> {
        let mut backoff = Backoff::default();
        loop {
            let mut synced = Synced::default();
            let sent = self.send(transport, &mut synced).await;
            if synced != Synced::default() {
                self.note(synced).await?;
            }
            match sent {
                Ok(()) => {
                    backoff.reset();
                    self.succeeded(Task::Upload, woken);
                    select(pin!(signals.unsent.notified()), pin!(sleep(ASK))).await;
                }
                Err(error) => {
                    let cause = Cause::of(&error);
                    self.pause(Task::Upload, cause, error, &mut backoff, woken)
                        .await?;
                }
            }
        }
    }

    /// A task has succeeded. If it had failed before, the others need not wait any longer.
    pub(super) fn succeeded(&self, task: Task, woken: &Notify) {
        if self.monitor.done(task) {
            woken.notify_waiters();
        }
    }

    /// Waits after a failure, unless it is the file's for good.
    pub(super) async fn pause(
        &self,
        task: Task,
        cause: Cause,
        error: ReplicaError,
        backoff: &mut Backoff,
        woken: &Notify,
    ) -> Result<(), ReplicaError> {
        if error.is_of_file() {
            return Err(error);
        }
        let pause = backoff.next();
        tracing::warn!(%error, again_in = ?pause, "{task}");
        self.monitor.failed(task, cause, &error, Next::again(pause));
        wait(pause, woken).await;
        Ok(())
    }
}

/// Waits for so long, or until `woken`.
pub(super) async fn wait(pause: Duration, woken: &Notify) {
    match select(pin!(sleep(pause)), pin!(woken.notified())).await {
        Either::Left(_) | Either::Right(_) => {}
    }
}
