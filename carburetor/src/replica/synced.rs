//! What came of a sync.

use super::stage::Staged;

/// What a sync has done.
///
/// ```
/// let synced = carburetor::replica::Synced::default();
/// assert_eq!((synced.sent, synced.rejected, synced.rows), (0, 0, 0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Synced {
    /// Changes that the server answered, finally or by holding them.
    pub sent: u64,
    /// What [`Replica::rejected`](super::Replica::rejected) has more than before, but for what `lost` counts: what the server rejected, of what was held before as well,
    /// and edits that are not sent, because what they wrote can't travel.
    pub rejected: u64,
    /// Edits that came to nothing, because their rows were deleted meanwhile, maybe along with others. [`Replica::rejected`](super::Replica::rejected) has each, with
    /// the code [`Gone`](crate::outcome::Code::Gone).
    pub lost: u64,
    /// Inserts that met another row under their id: see [`Outcome::met`](crate::outcome::Outcome::met). A warning names each.
    pub met: u64,
    /// Rows that came, or have gone, and that can't be shown so: [`Replica::unreadable`](super::Replica::unreadable) has each, and why.
    pub unreadable: u64,
    /// Rows that came.
    pub rows: u64,
    /// Rows that the server said are gone, whether the replica had them or not.
    pub removed: u64,
}

impl Synced {
    /// Adds what a page has brought.
    pub(super) fn add(&mut self, staged: &Staged) {
        self.rejected += staged.rejected;
        self.rows += staged.rows;
        self.removed += staged.removed;
        self.unreadable += staged.unreadable;
    }
}
