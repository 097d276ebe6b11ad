//! The end of a server.

use super::limits::Limits;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Ends the feeds of a server that goes down: feeds don't end by themselves, and a graceful shutdown waits for them. Their readers come back after a moment.
///
#[doc = include_str!("../../docs/examples/shutdown.md")]
#[derive(Debug, Clone)]
pub struct Shutdown(Arc<State>);

#[derive(Debug)]
struct State {
    begun: watch::Sender<bool>,
    grace: Duration,
    send_time: Duration,
}

impl Shutdown {
    pub(super) fn new(limits: &Limits) -> Self {
        Shutdown(Arc::new(State {
            begun: watch::Sender::new(false),
            grace: limits.grace,
            send_time: limits.send_time,
        }))
    }

    /// The server goes down: open feeds end, and new ones are told to come back.
    ///
    #[doc = include_str!("../../docs/examples/shutdown.md")]
    pub fn begin(&self) {
        self.0.begun.send_replace(true);
    }

    pub(super) fn has_begun(&self) -> bool {
        *self.0.begun.borrow()
    }

    /// Comes back when it begins, for what else shall end then.
    ///
    #[doc = include_str!("../../docs/examples/shutdown.md")]
    pub async fn begun(&self) {
        let mut begun = self.0.begun.subscribe();
        // The sender lives as long as `self`.
        let _ = begun.wait_for(|begun| *begun).await;
    }

    /// Comes back when what was under way has had its time.
    pub(super) async fn over(&self) {
        self.begun().await;
        sleep(self.grace()).await;
    }

    /// How long what is under way may take then.
    pub(super) fn grace(&self) -> Duration {
        self.0.grace
    }

    /// How long what was written may lie unread.
    pub(super) fn send_time(&self) -> Duration {
        self.0.send_time
    }
}
