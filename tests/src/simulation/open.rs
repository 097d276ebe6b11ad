//! What a program has written in one row and not been answered.

use super::rows::Key;
use super::together::Transactions;
use carburetor::clock::Clock;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What was written in one row.
#[derive(Debug, Clone, Default)]
pub(super) struct Open {
    pub(super) existence: Option<Existence>,
    pub(super) columns: BTreeMap<&'static str, Edited>,
    /// Every value that the program gave a column since it last inserted the row.
    pub(super) given: BTreeSet<(&'static str, String)>,
}

/// A value, and the change that carries it to the server.
#[derive(Debug, Clone)]
pub(super) struct Edited {
    pub(super) value: Value,
    pub(super) way: Option<Clock>,
    /// What it is of, as long as it has no way.
    pub(super) of: Transactions,
}

/// An edit without a row.
#[derive(Debug, Clone)]
pub(super) struct Handed {
    pub(super) key: Key,
    pub(super) column: &'static str,
    pub(super) value: Value,
    pub(super) of: Transactions,
}

#[derive(Debug, Clone)]
pub(super) enum Existence {
    Inserted {
        way: Option<Clock>,
        /// A deletion of the row before, with its way.
        over: Option<Option<Clock>>,
        of: Transactions,
    },
    Deleted {
        way: Option<Clock>,
        of: Transactions,
    },
}

impl Existence {
    pub(super) fn of(&self) -> &Transactions {
        match self {
            Existence::Inserted { of, .. } | Existence::Deleted { of, .. } => of,
        }
    }

    /// Whether the server has still to hear of it, whose row is gone there or not.
    pub(super) fn is_unsent(&self, is_gone: bool) -> bool {
        match self {
            Existence::Inserted { way, .. } => way.is_none(),
            Existence::Deleted { way, .. } => way.is_none() && !is_gone,
        }
    }
}

impl Open {
    /// The transactions of all that has no way yet.
    pub(super) fn unsent(&self) -> Transactions {
        let columns = self.columns.values().flat_map(|edited| &edited.of);
        let existence = self.existence.iter().flat_map(Existence::of);
        columns.chain(existence).copied().collect()
    }

    pub(super) fn set(&mut self, column: &'static str, value: &Value, transaction: u64) {
        self.given.insert((column, value.to_string()));
        let before = self.columns.get(column);
        let mut of = before.map(|edited| edited.of.clone()).unwrap_or_default();
        of.insert(transaction);
        let edited = Edited {
            value: value.clone(),
            way: None,
            of,
        };
        self.columns.insert(column, edited);
    }
}
