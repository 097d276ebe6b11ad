//! Every change that was sent, and what the server said.

use carburetor::change::{Change, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::{Outcomes, Verdict};
use serde_json::{Map, Value};
use std::sync::{Mutex, MutexGuard};

/// One of the two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Table {
    Accounts,
    Entries,
}

impl Table {
    pub(super) fn name(self) -> &'static str {
        match self {
            Table::Accounts => "accounts",
            Table::Entries => "entries",
        }
    }

    /// What an upload deletes stays as a row that is marked.
    pub(super) fn keeps_deleted(self) -> bool {
        self == Table::Accounts
    }

    /// The table that `change` names.
    pub(super) fn of(change: &Change) -> Option<Self> {
        Self::named(&change.table)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        let mut tables = [Table::Accounts, Table::Entries].into_iter();
        tables.find(|table| table.name() == name)
    }
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    /// The server's answer, in a transaction that was committed.
    Answered(Verdict),
    /// The transaction was rolled back, and the change not sent again.
    Undone,
}

/// Whether a change may be rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quality {
    Good,
    /// Its sender sees some of the rows only.
    Scoped,
    /// It must be rejected.
    Bad,
}

/// One change that was sent.
pub(super) struct Entry {
    pub change: Change,
    pub quality: Quality,
    pub fate: Fate,
    /// The time before it was sent, and after it was answered.
    pub began: Clock,
    pub ended: Clock,
}

impl Entry {
    /// The row, if its table is one of ours.
    pub(super) fn key(&self) -> Option<(Table, i64)> {
        Some((
            Table::of(&self.change)?,
            self.change.id.as_str()?.parse().ok()?,
        ))
    }

    pub(super) fn columns(&self) -> Option<&Map<String, Value>> {
        match &self.change.edit {
            Edit::Insert(columns) | Edit::Update(columns) => Some(columns),
            Edit::Delete => None,
        }
    }

    pub(super) fn gives(&self, column: &str) -> bool {
        self.columns()
            .is_some_and(|columns| columns.contains_key(column))
    }

    pub(super) fn is_insert(&self) -> bool {
        matches!(self.change.edit, Edit::Insert(_))
    }

    pub(super) fn is_accepted(&self) -> bool {
        matches!(
            self.fate,
            Fate::Answered(Verdict::Applied | Verdict::Merged)
        )
    }
}

/// What all uploaders have noted.
#[derive(Default)]
pub(in crate::oracle) struct Journal {
    entries: Mutex<Vec<Entry>>,
    violations: Mutex<Vec<String>>,
}

impl Journal {
    pub(super) fn note(&self, entries: impl IntoIterator<Item = Entry>) {
        lock(&self.entries).extend(entries);
    }

    /// The second answer to the same changes must be the first one; the row that comes with it may be another by now.
    pub(super) fn compare(&self, first: &Outcomes, second: &Outcomes) {
        for (first, second) in first.outcomes.iter().zip(&second.outcomes) {
            if (first.clock, &first.verdict, first.stamp)
                != (second.clock, &second.verdict, second.stamp)
            {
                lock(&self.violations).push(format!(
                    "clock {}: answered {:?} {:?}, and when it came again {:?} {:?}",
                    first.clock, first.verdict, first.stamp, second.verdict, second.stamp
                ));
            }
        }
    }

    pub(super) fn into_parts(self) -> (Vec<Entry>, Vec<String>) {
        (into_inner(self.entries), into_inner(self.violations))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
