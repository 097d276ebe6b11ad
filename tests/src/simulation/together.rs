//! What a program committed together: one upload takes all of it along, or nothing.

use super::desk::Desk;
use std::collections::BTreeSet;

/// The local transactions that an edit is of: of more than one where it was edited again before it was sent.
pub(super) type Transactions = BTreeSet<u64>;

impl Desk {
    /// Whatever was committed until now may go in parts.
    pub(super) fn may_cut(&mut self) {
        self.cut = self.transactions;
    }

    /// Whether a message with edits of the transactions `taken` leaves others of them behind.
    pub(super) fn is_whole(&self, taken: &Transactions) -> Result<(), String> {
        // What devices wrote over is not known as the program's any more.
        // What hangs together with something that goes in parts does so, too.
        if self.is_hub || taken.iter().any(|transaction| *transaction <= self.cut) {
            return Ok(());
        }
        let halved = |of: &Transactions| !of.is_disjoint(taken);
        let handed = self.handed.iter().filter(|handed| halved(&handed.of));
        let mut left: Vec<String> = handed.map(|handed| format!("{handed:?}")).collect();
        for (key, open) in &self.open {
            let columns = open.columns.values();
            let unsent = columns.filter(|edited| edited.way.is_none());
            let mut sets = unsent.map(|edited| &edited.of);
            let existence = open.existence.as_ref();
            // Of a deletion of what is gone the server need not hear.
            let is_gone = self.gone.contains(key) || self.swept.contains(key.0);
            let existence = existence.filter(|existence| existence.is_unsent(is_gone));
            if existence.is_some_and(|existence| halved(existence.of())) || sets.any(halved) {
                left.push(format!("{key:?}: {open:?}"));
            }
        }
        match left.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "what was committed together is not sent together: of the transactions {taken:?} there are left {left:?}"
            )),
        }
    }
}
