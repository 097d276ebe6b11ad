//! By how much a transaction has moved accounts away from entries, per team, so that it can make up for it.

use super::ledger::TEAMS;

/// Accounts less entries, per team. A copy of it is what a savepoint goes back to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Balance([i64; TEAMS.len()]);

impl Balance {
    /// The accounts of the team grew by so much.
    pub(super) fn add(&mut self, team: &str, amount: i64) {
        if let Some(place) = TEAMS.iter().position(|other| *other == team) {
            self.0[place] += amount;
        }
    }

    /// What entries have to make up for.
    pub(super) fn open(&self) -> impl Iterator<Item = (&'static str, i64)> {
        let teams = TEAMS.into_iter().zip(self.0);
        teams.filter(|(_, amount)| *amount != 0)
    }
}
