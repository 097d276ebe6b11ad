//! When the deletions of an upload are applied, where they may take other rows along.

use super::admit::Admitted;
use super::apply::Waiting;
use super::decide::{Kind, existence};
use super::session::Session;
use super::settle::{Answers, Settled};
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::outcome::Verdict;
use crate::register::Registers;
use crate::table::TableDefinition;
use crate::wire::WireBackend;
use std::collections::{BTreeMap, HashSet};

/// A deletion, and the insert of the same upload that comes next for its row.
pub(super) struct Overwritten<'a, 'c, R: Runner> {
    deletion: &'a Admitted<'c, R::Backend>,
    insert: &'a Admitted<'c, R::Backend>,
}

/// A deletion whose row an insert of the same upload writes anew.
pub(super) struct Remade {
    clock: Clock,
    /// The row had come into being since, so that it was nothing to delete.
    pub(super) is_outlived: bool,
}

impl Remade {
    /// Compares the deletion with the registers of the row that is written anew.
    pub(super) fn meet(&mut self, definition: &TableDefinition, before: Option<&Registers>) {
        self.is_outlived = before.is_some_and(|row| self.clock <= existence(definition, row));
    }
}

impl<R: Runner> Session<'_, '_, R> {
    /// Takes the deletions out of `changes`, which are in the order of their clocks, whose rows are
    /// made again next: an insert writes such a row anew in its place, and what refers to it stays.
    pub(super) fn overwritten<'a, 'c>(
        &mut self,
        changes: &mut Waiting<'a, 'c, R::Backend>,
    ) -> Vec<Overwritten<'a, 'c, R>> {
        if !changes.iter().any(|change| self.takes_along(change)) {
            return Vec::new();
        }
        let mut later = BTreeMap::new();
        let mut overwritten = BTreeMap::new();
        for change in changes.iter().rev() {
            let next = later.insert(row(change), *change);
            let again = next.filter(|next| next.kind == Kind::Insert && self.takes_along(change));
            if let Some(insert) = again {
                let remade = Remade {
                    clock: change.clock(),
                    is_outlived: false,
                };
                self.remade.insert(insert.at, remade);
                overwritten.insert(change.at, insert);
            }
        }
        let (taken, rest): (Vec<_>, Vec<_>) = changes
            .drain(..)
            .partition(|change| overwritten.contains_key(&change.at));
        *changes = rest;
        let taken = taken.into_iter().filter_map(|deletion| {
            let insert = overwritten.get(&deletion.at)?;
            // What was read of the row when it was locked.
            self.locked[insert.at] = self.locked[deletion.at].take();
            Some(Overwritten { deletion, insert })
        });
        taken.collect()
    }

    /// Answers the deletions whose rows were made again, or written since, among `changes`; the
    /// others, which are still to be applied, each with its insert.
    pub(super) fn not_overwritten<'a, 'c>(
        &self,
        overwritten: Vec<Overwritten<'a, 'c, R>>,
        changes: &[&Admitted<'c, R::Backend>],
        answers: &mut Answers,
    ) -> Waiting<'a, 'c, R::Backend> {
        let mut written = BTreeMap::new();
        for change in changes {
            let is_taken = answers[change.at].as_ref().is_some_and(is_taken);
            if is_taken && change.kind != Kind::Delete {
                written.insert(row(change), change.clock());
            }
        }
        let mut left = Waiting::new();
        for Overwritten { deletion, insert } in overwritten {
            let made = answers[insert.at].as_ref().filter(|made| is_taken(made));
            let since = written.get(&row(deletion));
            let remade = self.remade.get(&insert.at);
            let is_outlived = remade.is_some_and(|remade| remade.is_outlived);
            answers[deletion.at] = match (made, since) {
                (Some(_), _) if is_outlived => Some(Settled::superseded()),
                (Some(made), _) => Some(Settled::applied(made.stamp)),
                // A later change has written the row as it was.
                (None, Some(since)) if *since > deletion.clock() => Some(Settled::superseded()),
                // It may be that the database takes the row, and no write of it.
                _ => {
                    answers[insert.at] = None;
                    left.extend([deletion, insert]);
                    None
                }
            };
        }
        left
    }

    /// `changes`, and apart the deletions, where one of them may take rows along: a change that says
    /// of such a row that it belongs elsewhere comes before, however many are applied at once.
    pub(super) fn deletions_last<'a, 'c>(
        &self,
        changes: Waiting<'a, 'c, R::Backend>,
    ) -> (Waiting<'a, 'c, R::Backend>, Waiting<'a, 'c, R::Backend>) {
        if !changes.iter().any(|change| self.takes_along(change)) {
            return (changes, Vec::new());
        }
        // What is said of the row after its deletion stays in order with that.
        let mut said = HashSet::new();
        let last: HashSet<usize> = changes
            .iter()
            .rev()
            .filter(|change| said.insert(row(change)) && change.kind == Kind::Delete)
            .map(|change| change.at)
            .collect();
        changes
            .into_iter()
            .partition(|change| !last.contains(&change.at))
    }

    /// Whether `change` is a deletion that other rows of the group may go along with.
    fn takes_along(&self, change: &Admitted<'_, R::Backend>) -> bool {
        let mut cascades = self.around.cascades.iter();
        change.kind == Kind::Delete
            && cascades.any(|cascade| cascade.parent == change.table && cascade.child.is_some())
    }
}

fn is_taken(answer: &Settled) -> bool {
    !matches!(answer.verdict, Verdict::Rejected(_))
}

/// The row that a change is about.
fn row<'c, DB: WireBackend>(change: &'c Admitted<'_, DB>) -> (usize, &'c [u8]) {
    (change.table, change.key.as_slice())
}
