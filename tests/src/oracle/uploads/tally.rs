//! What the uploads of a run have shown.

use super::journal::{Entry, Fate};
use carburetor::outcome::Verdict;
use std::fmt;

/// What the uploads of a run have shown.
#[derive(Clone, Debug, Default)]
pub(in crate::oracle) struct Tally {
    applied: u64,
    merged: u64,
    superseded: u64,
    rejected: u64,
    undone: u64,
    /// Columns of the naive twin that don't hold their latest write.
    naive: u64,
    faults: Vec<String>,
}

/// How many faults are printed.
const SHOWN: usize = 20;

impl Tally {
    pub(super) fn of(journal: &[Entry], naive: u64, faults: Vec<String>) -> Self {
        let mut tally = Tally {
            naive,
            faults,
            ..Tally::default()
        };
        for entry in journal {
            let count = match &entry.fate {
                Fate::Answered(Verdict::Applied) => &mut tally.applied,
                Fate::Answered(Verdict::Merged) => &mut tally.merged,
                Fate::Answered(Verdict::Superseded) => &mut tally.superseded,
                Fate::Answered(_) => &mut tally.rejected,
                Fate::Undone => &mut tally.undone,
            };
            *count += 1;
        }
        tally
    }

    /// Everything is as the server said.
    pub(in crate::oracle) fn right(&self) -> bool {
        self.faults.is_empty()
    }

    /// The naive twin kept older writes, so that there was something to lose.
    pub(in crate::oracle) fn proves(&self) -> bool {
        self.naive > 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.faults.iter().take(SHOWN) {
            writeln!(f, "{fault}")?;
        }
        let Tally {
            applied,
            merged,
            superseded,
            rejected,
            undone,
            naive,
            ..
        } = self;
        let (all, lost) = (applied + merged + superseded + rejected, self.faults.len());
        let wrong = if lost > 0 { "  <- WRONG" } else { "" };
        writeln!(
            f,
            "uploads: {all} changes, applied {applied}, merged {merged}, superseded {superseded}, rejected {rejected}, lost {lost}{wrong}; \
             {undone} rolled back; the last to arrive would have won over the latest in {naive} columns"
        )
    }
}
