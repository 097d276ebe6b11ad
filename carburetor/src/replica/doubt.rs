//! Whether an upload is under way: a page that was asked for before shows the rows as they were before it.

use tokio::sync::watch;

/// Whether an upload is under way.
#[derive(Default)]
pub(super) struct Doubt(watch::Sender<Known>);

#[derive(Clone, Copy, Default)]
struct Known {
    /// What was sent before, perhaps by a program that has ended, is to be sent again first.
    is_sought: bool,
    is_under_way: bool,
    /// How many have ended, with an answer or without.
    ended: u64,
}

impl Known {
    fn is_certain(&self) -> bool {
        !self.is_sought && !self.is_under_way
    }
}

/// An attempt to send, however it ends.
pub(super) struct Attempt<'d>(&'d Doubt);

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|known| known.is_sought = false);
    }
}

/// An upload on its way. It has ended when what it says is written, or when nobody waits for it any more.
pub(super) struct UnderWay<'d>(&'d Doubt);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|known| {
            known.is_under_way = false;
            known.ended += 1;
        });
    }
}

impl Doubt {
    /// An upload may have been under way: the next attempt to send tells.
    pub(super) fn seek(&self) {
        self.0.send_modify(|known| known.is_sought = true);
    }

    /// An attempt to send begins.
    pub(super) fn attempt(&self) -> Attempt<'_> {
        Attempt(self)
    }

    /// An upload begins. One is under way at a time.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.0.send_modify(|known| known.is_under_way = true);
        UnderWay(self)
    }

    /// Waits until none is under way. Returns how many have ended: what was asked for before another one did may be older than its answer.
    pub(super) async fn certain(&self) -> u64 {
        let mut known = self.0.subscribe();
        let known = known.wait_for(Known::is_certain).await;
        known.map_or(0, |known| known.ended)
    }
}
