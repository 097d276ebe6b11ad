//! Whether an upload is under way: a page that was asked for before shows the rows as they were before it.

use tokio::sync::watch;

/// Whether an upload is under way.
#[derive(Default)]
pub(super) struct Doubt(watch::Sender<Known>);

#[derive(Clone, Copy, Default)]
struct Known {
    is_open: bool,
    /// How many have ended, with an answer or without.
    ended: u64,
}

impl Doubt {
    /// An upload begins, or is to be looked for.
    pub(super) fn open(&self) {
        self.0.send_modify(|known| known.is_open = true);
    }

    /// There is none.
    pub(super) fn close(&self) {
        self.0.send_modify(|known| known.is_open = false);
    }

    /// The upload has ended, and what it says is written.
    pub(super) fn end(&self) {
        self.0.send_modify(|known| {
            known.is_open = false;
            known.ended += 1;
        });
    }

    /// Waits until none is under way. Returns how many have ended: what was asked for before another one did may be older than its answer.
    pub(super) async fn certain(&self) -> u64 {
        let mut known = self.0.subscribe();
        let known = known.wait_for(|known| !known.is_open).await;
        known.map_or(0, |known| known.ended)
    }
}
