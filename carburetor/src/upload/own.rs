//! What a replica's upload wrote itself: its later changes of the same rows don't conflict with that.

use super::UploadTable;
use super::admit::row_of;
use super::found::Found;
use crate::backend::SyncBackend;
use crate::change::Change;
use crate::outcome::Verdict;
use crate::upload::decide::Held;
use crate::upload::settle::Settled;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::HashMap;

/// The rows that an upload wrote, in whatever transaction, by the place of their table and their key.
#[derive(Debug, Default)]
pub(super) struct OwnWrites {
    rows: HashMap<(usize, Vec<u8>), OwnWrite>,
    /// The keys that rows of this upload add to the scope: the place of the table that it shows by them, and the text that the database makes of each.
    granted: Vec<(usize, String)>,
}

#[derive(Debug)]
struct OwnWrite {
    /// The stamp that the write gave the row.
    stamp: DateTime<Utc>,
    /// The one that the row had before the first of the writes; none where there was no row.
    before: Option<DateTime<Utc>>,
}

impl OwnWrites {
    /// Keeps that a row took this stamp.
    pub(super) fn keep(
        &mut self,
        row: (usize, Vec<u8>),
        stamp: DateTime<Utc>,
        before: Option<DateTime<Utc>>,
    ) {
        self.rows.insert(row, OwnWrite { stamp, before });
    }

    /// Keeps what `change` wrote when it came before and its answer was lost: the replica goes on from the row that it had then.
    pub(super) fn keep_answered<DB: SyncBackend>(
        &mut self,
        tables: &[UploadTable<'_, DB>],
        change: &Change,
        answer: &Settled,
    ) {
        let is_as_sent = matches!(answer.verdict, Verdict::Applied | Verdict::Held);
        let stamp = answer.stamp.filter(|_| is_as_sent);
        if let Some((stamp, row)) = stamp.zip(row_of(tables, change)) {
            self.keep(row, stamp, change.base);
        }
    }

    /// Lets rows of `table` with these keys count as visible.
    pub(super) fn grant(&mut self, table: usize, keys: &[String]) {
        let keys = keys.iter().map(|key| (table, key.clone()));
        self.granted.extend(keys);
    }

    /// How many keys were granted.
    pub(super) fn grants(&self) -> usize {
        self.granted.len()
    }

    /// Takes back all but the first `grants` keys, because what was written since was rolled back.
    pub(super) fn revoke(&mut self, grants: usize) {
        self.granted.truncate(grants);
    }

    /// The keys with which rows of `table` count as visible, as [`Visibility::push_granting`](crate::scope::Visibility::push_granting) takes them.
    pub(super) fn granted(&self, table: usize) -> Option<String> {
        let of_table = self.granted.iter().filter(|(of, _)| *of == table);
        let keys: Vec<Value> = of_table.map(|(_, key)| key.as_str().into()).collect();
        (!keys.is_empty()).then(|| Value::Array(keys).to_string())
    }

    /// Shows `found` as changes of this upload are to see it: with the stamp of before, unless somebody else wrote the row since.
    pub(super) fn hide(&self, table: usize, key: &[u8], found: &mut Found) {
        if self.rows.is_empty() {
            return;
        }
        if let Held::Live { stamp, .. } = &mut found.held
            && let Some(own) = self.rows.get(&(table, key.to_vec()))
            && *stamp == Some(own.stamp)
        {
            *stamp = own.before;
        }
    }
}
