//! What the program on a device has written and not been answered: that, and nothing else, must its tables show there.

use super::models::Table;
use super::open::{Existence, Handed, Open};
use super::rows::{Key, Row, Rows, travelled, written};
use super::together::Transactions;
use super::words;
use carburetor::change::{Change, Changes, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::{Code, Outcome, Outcomes, Verdict};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The open matters of one device.
#[derive(Debug, Clone, Default)]
pub(super) struct Desk {
    pub(super) open: BTreeMap<Key, Open>,
    /// Edits of rows that went before these were sent: they must still be sent.
    pub(super) handed: Vec<Handed>,
    /// The device's id, as long as its clocks are told from others'.
    own: u64,
    /// Rows that devices of this hub have written, and of which the server may still have to hear.
    pub(super) relayed: BTreeSet<Key>,
    pub(super) is_hub: bool,
    /// How many local transactions there were.
    pub(super) transactions: u64,
    /// How many of them may go in parts, because the line broke so often.
    pub(super) cut: u64,
    /// Rows that this hub's program had open when a device of it wrote them, too.
    forgotten: BTreeSet<Key>,
    /// Rows whose insert was taken back: the server may still hear of it, where what was written then goes there before.
    taken_back: BTreeSet<Key>,
    /// The changes that were ever sent. Clocks that the server refused may be given to other changes.
    sent: BTreeSet<(Clock, Key)>,
    /// Those of them that were rejected, as the device has heard.
    pub(super) rejected: BTreeSet<Clock>,
    /// And those that are gone with their rows.
    pub(super) lost: BTreeSet<Clock>,
    /// Rows that the server has said are gone since the last sync that came to its end.
    pub(super) gone: BTreeSet<Key>,
    /// Those of which it had said so when the present sync began.
    pub(super) gone_before: BTreeSet<Key>,
    /// Tables of which it has said so of rows by their values, or of all.
    pub(super) swept: BTreeSet<&'static str>,
    /// Those of which it had said so when the present sync began: of one that had not come to its end.
    pub(super) swept_before: BTreeSet<&'static str>,
    /// The versions of rows that have come since a sync has last shown a download.
    pub(super) staged: BTreeMap<Key, Vec<Row>>,
    /// Rows that were edited or answered since the present sync began.
    pub(super) touched: BTreeSet<Key>,
    /// Whether that has shown a download.
    is_shown: bool,
}

impl Desk {
    /// That of the device of this id.
    pub(super) fn of(own: u64) -> Self {
        Desk {
            own,
            ..Desk::default()
        }
    }

    /// A local transaction begins.
    pub(super) fn transact(&mut self) {
        self.transactions += 1;
    }

    /// The program has run one statement.
    pub(super) fn edited(&mut self, before: &Rows, after: &Rows) {
        let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
        for key in keys {
            match (before.get(key), after.get(key)) {
                (None, Some(row)) => self.insert(key, row),
                (Some(_), None) => self.delete(key),
                (Some(old), Some(new)) => self.update(key, old, new),
                (None, None) => {}
            }
        }
    }

    fn insert(&mut self, key: &Key, row: &Row) {
        self.touched.insert(key.clone());
        let is_gone = self.gone.contains(key) || self.swept.contains(key.0);
        let open = self.open.entry(key.clone()).or_default();
        // Of a deletion of what is gone the server need not hear.
        let mut of = match &open.existence {
            Some(Existence::Deleted { .. }) if is_gone => Transactions::new(),
            _ => open.unsent(),
        };
        of.insert(self.transactions);
        let over = match open.existence {
            Some(Existence::Deleted { way, .. }) => Some(way),
            _ => None,
        };
        open.existence = Some(Existence::Inserted {
            way: None,
            over,
            of,
        });
        open.given.clear();
        for column in Table::of(key.0).columns {
            open.set(column, &row.values[*column], self.transactions);
        }
    }

    fn update(&mut self, key: &Key, old: &Row, new: &Row) {
        for column in Table::of(key.0).columns {
            if old.values[*column] != new.values[*column] {
                self.touched.insert(key.clone());
                let open = self.open.entry(key.clone()).or_default();
                open.set(column, &new.values[*column], self.transactions);
            }
        }
    }

    fn delete(&mut self, key: &Key) {
        self.touched.insert(key.clone());
        let open = self.open.entry(key.clone()).or_default();
        let mut of = open.unsent();
        of.insert(self.transactions);
        open.columns.clear();
        if matches!(open.existence, Some(Existence::Inserted { .. })) {
            self.taken_back.insert(key.clone());
        }
        open.existence = match open.existence {
            // The server need not hear of an insert that is taken back.
            Some(Existence::Inserted {
                way: None, over, ..
            }) => over.map(|way| Existence::Deleted {
                way,
                of: way.map_or(of, |_| Transactions::new()),
            }),
            _ => Some(Existence::Deleted { way: None, of }),
        };
        self.tidy();
    }

    fn tidy(&mut self) {
        self.open
            .retain(|_, open| open.existence.is_some() || !open.columns.is_empty());
    }

    /// A message is about to leave: what it says, and whether that is whole.
    pub(super) fn send(&mut self, changes: &Changes) -> Result<(), String> {
        let mut taken = Transactions::new();
        let (own, is_hub) = (self.own, self.is_hub);
        let is_own = move |change: &&Change| !is_hub || change.clock.replica() == own;
        for change in changes.changes.iter().filter(is_own) {
            let table = Table::of(&change.table);
            let key = (
                table.name,
                change.id.as_str().unwrap_or_default().to_owned(),
            );
            // A repeated one stands for what was written before it was sent first.
            if !self.sent.insert((change.clock, key.clone())) {
                continue;
            }
            let is_carried = |of: &Key, column: &str, value: &Value| {
                let columns = match &change.edit {
                    Edit::Insert(columns) | Edit::Update(columns) => columns,
                    Edit::Delete => return false,
                };
                *of == key
                    && written(table, columns).any(|(name, sent)| name == column && sent == value)
            };
            self.handed.retain(|handed| {
                let is_sent = is_carried(&handed.key, handed.column, &handed.value);
                if is_sent {
                    taken.extend(&handed.of);
                }
                !is_sent
            });
            let Some(open) = self.open.get_mut(&key) else {
                continue;
            };
            let is_of_before = |(column, sent): (&'static str, &Value)| {
                !open.given.contains(&(column, sent.to_string()))
            };
            let is_another = match (&open.existence, &change.edit) {
                (Some(Existence::Inserted { .. }), Edit::Insert(columns)) => {
                    self.taken_back.contains(&key) && written(table, columns).any(is_of_before)
                }
                _ => false,
            };
            if is_another {
                self.taken_back.remove(&key);
                continue;
            }
            match (&mut open.existence, &change.edit) {
                (Some(Existence::Inserted { way, of, .. }), Edit::Insert(_))
                | (Some(Existence::Deleted { way, of }), Edit::Delete) => {
                    *way = Some(change.clock);
                    taken.append(of);
                }
                _ => {}
            }
            // An edit of a row that was there before the insert carries nothing of the insert.
            let is_of_before =
                matches!(open.existence, Some(Existence::Inserted { way: None, .. }));
            for (column, edited) in &mut open.columns {
                if !is_of_before && is_carried(&key, column, &edited.value) {
                    edited.way = Some(change.clock);
                    taken.append(&mut edited.of);
                }
            }
        }
        self.is_whole(&taken)
    }

    /// An answer has come.
    pub(super) fn answered(&mut self, changes: &Changes, outcomes: &Outcomes) {
        for (change, outcome) in changes.changes.iter().zip(&outcomes.outcomes) {
            let table = Table::of(&change.table);
            let key = (
                table.name,
                change.id.as_str().unwrap_or_default().to_owned(),
            );
            if self.is_hub && change.clock.replica() != self.own {
                self.touched.insert(key);
                continue;
            }
            // Another server, or a row that is back, when the answer is asked for again.
            match is_told(change, outcome) {
                true => self.rejected.insert(change.clock),
                false => self.rejected.remove(&change.clock),
            };
            match is_lost(change, outcome) {
                true => self.lost.insert(change.clock),
                false => self.lost.remove(&change.clock),
            };
            let is_kept = match outcome.verdict {
                Verdict::Applied => true,
                Verdict::Held => outcome.stamp.is_some(),
                _ => false,
            };
            let is_gone = !is_kept && outcome.row.is_none() && outcome.unreadable.is_none();
            if is_gone {
                self.gone.insert(key.clone());
            }
            if let Some(open) = self.open.get_mut(&key) {
                let is_it = |way: &Option<Clock>| *way == Some(change.clock);
                match &mut open.existence {
                    Some(Existence::Inserted { way, .. } | Existence::Deleted { way, .. })
                        if is_it(way) =>
                    {
                        open.existence = None;
                    }
                    // There is nothing to delete any more.
                    Some(Existence::Deleted { way: None, .. }) if is_gone => {
                        open.existence = None;
                    }
                    Some(Existence::Inserted { over, .. })
                        if is_gone || over.as_ref().is_some_and(is_it) =>
                    {
                        *over = None;
                    }
                    _ => {}
                }
                open.columns.retain(|_, edited| !is_it(&edited.way));
            }
            self.touched.insert(key);
        }
        self.tidy();
    }

    /// A page has come.
    pub(super) fn shown(&mut self, page: &Value) {
        let tables = page["tables"].as_object().expect("a page has tables");
        for (name, news) in tables {
            let table = Table::of(name).name;
            if news["reset"] == true || !news["left"].is_null() {
                self.swept.insert(table);
            }
            for row in news["rows"].as_array().into_iter().flatten() {
                let (id, row) = travelled(table, row);
                let key = (table, id);
                if !words::is_odd((&key, &row)) {
                    self.staged.entry(key).or_default().push(row);
                }
            }
            for id in news["removed"].as_array().into_iter().flatten() {
                let id = id.as_str().unwrap_or_default().to_owned();
                self.gone.insert((table, id));
            }
        }
        self.is_shown |= page["more"] != true;
    }

    /// A device of this hub has written these rows.
    pub(super) fn relay(&mut self, keys: impl Iterator<Item = Key>) {
        for key in keys {
            // Which write is the later one, the server says.
            if self.open.remove(&key).is_some() {
                self.forgotten.insert(key.clone());
            }
            self.touched.insert(key.clone());
            self.relayed.insert(key);
        }
    }

    /// Nothing waits for the server any more.
    pub(super) fn all_sent(&mut self) {
        self.relayed.clear();
    }

    /// A sync begins.
    pub(super) fn begin(&mut self) {
        self.touched.clear();
        self.gone_before.clone_from(&self.gone);
        self.swept_before.clone_from(&self.swept);
        self.is_shown = false;
    }

    /// A sync has ended: with all that the server shows, `truth`, or with what was there before.
    pub(super) fn end(
        &mut self,
        before: &Rows,
        after: &Rows,
        truth: Option<Rows>,
        unreadable: &BTreeSet<Key>,
    ) -> Result<(), String> {
        self.stands(after)?;
        match truth {
            Some(truth) => {
                // Whoever deletes what is gone for the server, too, has no more to say, sent or not: another row may come under the id.
                self.open.retain(|key, open| {
                    let is_deletion = matches!(open.existence, Some(Existence::Deleted { .. }));
                    let is_gone = self.gone.contains(key) || self.swept.contains(key.0);
                    !is_deletion || !is_gone || truth.contains_key(key)
                });
                self.gone.clear();
                self.swept.clear();
                let agreed = self.agree(truth, before, after, unreadable);
                self.staged.clear();
                agreed
            }
            None if !self.is_shown => self.untouched(before, after),
            None => Ok(()),
        }
    }

    /// Whether the program has heard of all that it wrote.
    pub(super) fn is_clear(&self) -> Result<(), String> {
        // Whether the deletion takes back an insert that nobody was told of, is not known.
        let may_be_taken_back = |key: &Key, open: &Open| {
            let is_unsent = matches!(open.existence, Some(Existence::Deleted { way: None, .. }));
            is_unsent && self.forgotten.contains(key)
        };
        let mut open = self.open.iter();
        if let Some(never) = open.find(|(key, open)| !may_be_taken_back(key, open)) {
            return Err(format!("never answered: {never:?}"));
        }
        match self.handed.first() {
            Some(edit) => Err(format!("never sent: {edit:?}")),
            None => Ok(()),
        }
    }
}

/// Whether the program is to be told of a rejection: not of that of a deletion where nothing is left to delete.
fn is_told(change: &Change, outcome: &Outcome) -> bool {
    let Verdict::Rejected(rejection) = &outcome.verdict else {
        return false;
    };
    let is_gone =
        outcome.row.is_none() && matches!(rejection.code, Code::Forbidden | Code::NotFound);
    change.edit != Edit::Delete || !is_gone
}

/// Whether nothing is left of an edit, because its row was deleted meanwhile.
fn is_lost(change: &Change, outcome: &Outcome) -> bool {
    outcome.verdict == Verdict::Superseded
        && (outcome.lost || outcome.row.is_none())
        && change.edit != Edit::Delete
}
