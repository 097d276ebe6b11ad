//! Remarks that go along with their task, as the foreign key on the server says.

use super::held::{Held, Live, at};
use super::ledger::{Ledger, Taken};
use super::models::Member;
use super::rows::Key;
use carburetor::change::{Change, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::{Code, Outcome, Verdict};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The table whose rows go along, the column that says with which, and their table.
const CHILD: (&str, &str, &str) = ("remarks", "task", "tasks");

/// What one upload takes along.
pub(super) struct Along<'t> {
    taken: &'t Taken<'t>,
    /// The tasks that it deletes.
    parents: BTreeSet<&'t str>,
}

impl<'t> Along<'t> {
    pub(super) fn of(taken: &'t Taken<'t>, is_new: impl Fn(&Change) -> bool) -> Self {
        let deleted = answered(taken).filter(|(change, outcome)| {
            change.table == CHILD.2
                && change.edit == Edit::Delete
                && matches!(outcome.verdict, Verdict::Applied | Verdict::Merged)
                && is_new(change)
        });
        Along {
            taken,
            parents: deleted
                .filter_map(|(change, _)| change.id.as_str())
                .collect(),
        }
    }

    /// Whether what the upload says of a row, if it is written, lets the row go along.
    pub(super) fn takes(&self, held: &BTreeMap<Key, Held>, key: &Key) -> bool {
        let live = held.get(key).and_then(|held| held.live.as_ref());
        let before = live.and_then(|live| live.values.get(CHILD.1));
        let of_row = self.taken.changes.iter();
        let of_row = of_row.filter(|change| change.table == key.0 && change.id == *key.1);
        // Which of them counts, the clocks of the column say.
        let mut tasks = of_row.filter_map(given).chain(before);
        key.0 == CHILD.0
            && !self.taken.rows.contains_key(key)
            && tasks.any(|task| self.is_one(task))
    }

    /// Whether what an accepted change is about went along before it could be written: a row that was there, or that an earlier change of the upload made.
    pub(super) fn took(&self, held: &BTreeMap<Key, Held>, key: &Key) -> bool {
        let live = held.get(key).and_then(|held| held.live.as_ref());
        let hangs = |live: &Live| self.is_one(&live.values[CHILD.1]);
        key.0 == CHILD.0
            && !self.taken.rows.contains_key(key)
            && live.map_or_else(|| self.is_lost(key), hangs)
    }

    fn is_one(&self, task: &Value) -> bool {
        task.as_str()
            .is_some_and(|task| self.parents.contains(task))
    }

    /// The team that the upload gave a row last, after `since`.
    fn team(&self, key: &Key, since: Clock) -> Option<&'t Value> {
        let of_row = self.taken.changes.iter();
        let of_row = of_row.filter(|change| change.table == key.0 && change.id == *key.1);
        let given = of_row.filter_map(|change| match &change.edit {
            Edit::Insert(columns) | Edit::Update(columns) => {
                Some((change.clock, columns.get("team")?))
            }
            Edit::Delete => None,
        });
        let later = given.filter(|(clock, _)| *clock > since);
        later.max_by_key(|(clock, _)| *clock).map(|(_, team)| team)
    }

    /// Whether a change that says so was rejected because its row went along.
    fn is_lost(&self, key: &Key) -> bool {
        answered(self.taken).any(|(change, outcome)| {
            let is_it = change.table == key.0 && change.id == *key.1;
            let is_lost =
                matches!(&outcome.verdict, Verdict::Rejected(why) if why.code == Code::NotFound);
            is_it && is_lost && given(change).is_some_and(|task| self.is_one(task))
        })
    }
}

fn answered<'t>(taken: &Taken<'t>) -> impl Iterator<Item = (&'t Change, &'t Outcome)> {
    let outcomes = taken.outcomes.unwrap_or_default();
    taken.changes.iter().zip(outcomes)
}

/// The task that a change gives a remark.
fn given(change: &Change) -> Option<&Value> {
    match &change.edit {
        Edit::Insert(columns) | Edit::Update(columns) => columns.get(CHILD.1),
        Edit::Delete => None,
    }
}

/// Whether somebody who deletes the task `key` would take along a row that he doesn't see.
pub(super) fn hides(held: &BTreeMap<Key, Held>, key: &Key, member: &Member) -> bool {
    let mut lives = held.iter().filter(|(child, _)| child.0 == CHILD.0);
    key.0 == CHILD.2
        && lives.any(|(_, held)| {
            held.live.as_ref().is_some_and(|live| {
                live.values[CHILD.1].as_str() == Some(&key.1)
                    && !member.sees(live.values["team"].as_str())
            })
        })
}

impl Ledger {
    /// What went along with rows that an upload deleted is gone, too: the server tells when, and nothing that the caller doesn't see may be among it.
    pub(super) fn take_along(&mut self, along: &Along<'_>) -> Result<(), String> {
        let taken = along.taken;
        let clocks = taken.changes.iter().map(|change| change.clock.successor());
        let latest = clocks.fold(at(taken.now), Clock::max);
        for change in taken
            .changes
            .iter()
            .filter(|change| change.table == CHILD.0)
        {
            let id = change.id.as_str().unwrap_or_default().to_owned();
            self.held.entry((CHILD.0, id)).or_default();
        }
        for (key, held) in &mut self.held {
            if key.0 != CHILD.0 {
                continue;
            }
            let Some(live) = held.live.as_ref() else {
                // It was written and went along at once.
                let mut known = taken.deletions.iter().filter(|(deleted, _)| deleted == key);
                let known = known.find_map(|(_, clock)| clock.parse::<Clock>().ok());
                let is_possible = |known: &Clock| *known <= latest && Some(*known) > held.deleted;
                if let Some(known) = known.filter(is_possible).filter(|_| along.is_lost(key)) {
                    held.deleted = Some(known);
                    let given = along.team(key, Clock::ZERO).cloned();
                    held.team = given.or(held.team.take());
                }
                continue;
            };
            let is_gone = !taken.rows.contains_key(key);
            if is_gone && (along.is_one(&live.values[CHILD.1]) || along.is_lost(key)) {
                if !taken.member.sees(live.values["team"].as_str()) {
                    return Err(format!("{key:?} went along, and the caller doesn't see it"));
                }
                let given = along.team(key, live.clocks["team"]);
                let given = given.filter(|_| along.is_lost(key)).cloned();
                held.delete(key, taken.deletions, latest, false)?;
                held.team = given.or(held.team.take());
            }
        }
        Ok(())
    }
}
