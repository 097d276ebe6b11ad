//! The end of a server.

use std::sync::Arc;
use tokio::sync::watch;

/// Ends the feeds of a server that goes down: feeds don't end by themselves, and a graceful shutdown waits for them. Their readers come back after a moment.
///
#[doc = include_str!("../../docs/examples/shutdown.md")]
#[derive(Debug, Clone)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

impl Shutdown {
    pub(super) fn new() -> Self {
        Shutdown(Arc::new(watch::Sender::new(false)))
    }

    /// The server goes down: open feeds end, and new ones are told to come back.
    ///
    #[doc = include_str!("../../docs/examples/shutdown.md")]
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Comes back when it begins.
    pub(super) async fn begun(&self) {
        let mut begun = self.0.subscribe();
        // The sender lives as long as `self`.
        let _ = begun.wait_for(|begun| *begun).await;
    }
}
