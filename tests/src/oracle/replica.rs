//! A copy in memory, and its comparison with the tables.

use super::history::{History, Key};
use super::ledger::{Line, TEAMS};
use super::view::View;
use carburetor::TableNews;
use std::collections::{HashMap, HashSet};

/// Both tables as one downloader has them.
pub(super) struct Replica<A, E> {
    pub accounts: HashMap<i64, A>,
    pub entries: HashMap<i64, E>,
    /// How many rows came, and how many of them were not known yet.
    pub delivered: u64,
    pub fresh: u64,
    /// Rows that came although the view does not show them.
    foreign: u64,
    /// The ids that were removed since the scope is what it is.
    removed: HashSet<Key>,
}

/// Every row of both tables.
pub(super) struct Truth<A, E> {
    pub accounts: Vec<A>,
    pub entries: Vec<E>,
    pub history: History,
}

/// How a copy differs from the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Rows that the copy lacks.
    pub lost: u64,
    /// Rows that it has in another version.
    pub stale: u64,
    /// Rows that it has and should not.
    pub ghosts: u64,
    /// Rows and removals that came although its scope shows nothing of them.
    pub foreign: u64,
    /// Rows that it should have.
    pub rows: u64,
}

impl<A: Line, E: Line> Replica<A, E> {
    pub(super) fn new() -> Self {
        Replica {
            accounts: HashMap::new(),
            entries: HashMap::new(),
            delivered: 0,
            fresh: 0,
            foreign: 0,
            removed: HashSet::new(),
        }
    }

    /// Takes what a download says.
    pub(super) fn apply(&mut self, accounts: TableNews<A>, entries: TableNews<E>, view: &View) {
        self.count(&accounts.rows, &entries.rows);
        self.foreign += (foreign(&accounts.rows, view) + foreign(&entries.rows, view)) as u64;
        self.removed
            .extend(accounts.removed.iter().map(|id| (A::NAME, *id)));
        self.removed
            .extend(entries.removed.iter().map(|id| (E::NAME, *id)));
        accounts.apply(&mut self.accounts);
        entries.apply(&mut self.entries);
    }

    /// Takes rows that were read without the library.
    pub(super) fn take(&mut self, accounts: Vec<A>, entries: Vec<E>) {
        self.count(&accounts, &entries);
        self.accounts
            .extend(accounts.into_iter().map(|row| (row.id(), row)));
        self.entries
            .extend(entries.into_iter().map(|row| (row.id(), row)));
    }

    fn count(&mut self, accounts: &[A], entries: &[E]) {
        self.delivered += (accounts.len() + entries.len()) as u64;
        self.fresh += (fresh(&self.accounts, accounts) + fresh(&self.entries, entries)) as u64;
    }

    /// The scope is another one, for which other removals are right.
    pub(super) fn forget_removed(&mut self) {
        self.removed.clear();
    }

    /// Some team's accounts and entries don't add up to the same: they are not of one instant.
    pub(super) fn torn(&self) -> bool {
        TEAMS
            .iter()
            .any(|team| sum(self.accounts.values(), team) != sum(self.entries.values(), team))
    }

    pub(super) fn compare(&self, truth: &Truth<A, E>, view: &View) -> Difference {
        let mut difference = Difference {
            foreign: self.foreign + truth.history.foreign(&self.removed, &view.member),
            ..Difference::default()
        };
        difference.table(&self.accounts, &truth.accounts, view);
        difference.table(&self.entries, &truth.entries, view);
        difference
    }
}

impl Difference {
    fn table<M: Line>(&mut self, copy: &HashMap<i64, M>, rows: &[M], view: &View) {
        let shown: HashMap<i64, &M> = rows
            .iter()
            .filter(|row| view.shows(*row))
            .map(|row| (row.id(), row))
            .collect();
        for (id, row) in &shown {
            match copy.get(id) {
                None => self.lost += 1,
                Some(copied) if copied != *row => self.stale += 1,
                Some(_) => {}
            }
        }
        self.ghosts += copy.keys().filter(|id| !shown.contains_key(id)).count() as u64;
        self.rows += shown.len() as u64;
    }
}

fn fresh<M: Line>(copy: &HashMap<i64, M>, rows: &[M]) -> usize {
    rows.iter()
        .filter(|row| copy.get(&row.id()) != Some(row))
        .count()
}

fn foreign<M: Line>(rows: &[M], view: &View) -> usize {
    rows.iter().filter(|row| !view.shows(*row)).count()
}

fn sum<'a, M: Line>(rows: impl Iterator<Item = &'a M>, team: &str) -> i64 {
    rows.filter(|row| row.team() == team)
        .map(Line::amount)
        .sum()
}
