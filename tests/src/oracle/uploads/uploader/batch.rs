//! What an uploader sends at once.

use super::super::draft::Draft;
use super::Uploader;
use carburetor::change::{Change, Changes};
use std::collections::HashSet;
use std::time::Duration;

/// How a batch was meant, and made.
pub(super) struct Batch {
    pub changes: Changes,
    /// The places of changes that must be rejected.
    pub bad: HashSet<usize>,
    /// It moves no sums, so it may be uploaded in a transaction of its own.
    pub is_neutral: bool,
    /// For how long at most its transaction keeps others waiting.
    pub holds: Duration,
}

impl Batch {
    pub(super) fn new(changes: Vec<Change>) -> Self {
        Batch {
            changes: Changes::new(changes),
            bad: HashSet::new(),
            is_neutral: false,
            holds: Duration::ZERO,
        }
    }
}

impl<C> Uploader<'_, C> {
    /// Changes of whatever it knows.
    pub(super) fn batch(&mut self) -> Batch {
        let device = match self.random.u8(..10) {
            0..2 => 1,
            2 => 2,
            _ => 0,
        };
        let is_neutral = self.random.bool();
        let count = match self.random.bool() {
            true => self.random.usize(1..=4),
            false => self.random.usize(1..=50),
        };
        let mut draft = self.draft(device);
        let mut changes = match is_neutral {
            true => draft.neutral(count),
            false => draft.any(count),
        };
        let mut bad = HashSet::new();
        if draft.random.u8(..4) == 0 {
            bad.insert(changes.len());
            changes.push(draft.bad());
        }
        Batch {
            bad,
            is_neutral,
            ..Batch::new(changes)
        }
    }

    /// A few changes of rows that everybody contests: often ahead of the database, and as often by somebody who has not heard of what was.
    pub(super) fn contested(&mut self) -> Batch {
        let device = match self.random.u8(..10) {
            0..4 => 2,
            4..9 => 3,
            _ => 0,
        };
        let (is_neutral, count) = (self.random.u8(..4) == 0, self.random.usize(1..=2));
        Batch {
            is_neutral,
            holds: Duration::from_millis(40),
            ..Batch::new(self.draft(device).contested(count, is_neutral))
        }
    }

    /// What makes changes with the clock of this one of its devices.
    pub(super) fn draft(&mut self, device: usize) -> Draft<'_> {
        Draft {
            random: &mut self.random,
            run: self.run,
            device: &mut self.devices[device],
            known: &self.known,
        }
    }
}
