//! Random changes of what an uploader knows.

use super::super::ledger::{CONTESTED, OF_UPLOADS, TEAMS};
use super::super::run::Run;
use super::device::Device;
use super::journal::Table;
use super::known::Known;
use carburetor::change::{Change, Edit};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

/// Makes changes at random.
pub(super) struct Draft<'u> {
    pub random: &'u mut fastrand::Rng,
    pub run: &'u Run,
    pub device: &'u mut Device,
    pub known: &'u [Known; 2],
}

/// An id that no row has.
const NOWHERE: i64 = 1 << 40;

impl Draft<'_> {
    /// Changes of any kind. The sums of the tables move.
    pub(super) fn any(&mut self, count: usize) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::with_capacity(count);
        while changes.len() < count {
            let table = self.table();
            let change = match self.random.u8(..20) {
                0..4 => self.insert(table, None),
                4..6 => {
                    let gone = self.known[table as usize].any_gone(self.random);
                    self.insert(table, gone)
                }
                6..8 => match self.row(table) {
                    Some((id, base)) => self.change(table, id, Some(base), Edit::Delete),
                    None => continue,
                },
                8 => match changes.last() {
                    // The same row once more.
                    Some(Change {
                        id,
                        table: name,
                        base,
                        edit: Edit::Insert(_) | Edit::Update(_),
                        ..
                    }) => {
                        let table = if name == Table::Accounts.name() {
                            Table::Accounts
                        } else {
                            Table::Entries
                        };
                        let (id, base) = (id.clone(), *base);
                        let columns = self.columns(table);
                        self.edit(table, id, base, columns)
                    }
                    _ => continue,
                },
                _ => match self.row(table) {
                    Some((id, base)) => {
                        let columns = self.columns(table);
                        self.edit(table, wire(id), Some(base), columns)
                    }
                    None => continue,
                },
            };
            changes.push(change);
        }
        changes
    }

    /// Changes that move no sum.
    pub(super) fn neutral(&mut self, count: usize) -> Vec<Change> {
        let mut changes = Vec::with_capacity(count);
        for _ in 0..count {
            let table = self.table();
            if let Some((id, base)) = self.row(table) {
                let mut columns = Map::from_iter([("note".to_owned(), Value::Null)]);
                if table == Table::Accounts && self.random.bool() {
                    columns.insert("published".into(), self.random.bool().into());
                }
                changes.push(self.edit(table, wire(id), Some(base), columns));
            }
        }
        changes
    }

    /// Changes of rows that everybody contests, whether they are there or not.
    pub(super) fn contested(&mut self, count: usize, is_neutral: bool) -> Vec<Change> {
        let mut changes = Vec::with_capacity(count);
        for _ in 0..count {
            let table = self.table();
            // Mostly those that are written by SQL, too: what uploads have for themselves, others duel for.
            let id = match self.random.u8(..4) {
                0 => self.random.i64(1..=OF_UPLOADS),
                _ => self.random.i64(OF_UPLOADS + 1..=CONTESTED),
            };
            let base = self.known[table as usize].stamp(id);
            changes.push(
                match self.random.u8(if is_neutral { 9..10 } else { 0..10 }) {
                    0..4 => self.insert(table, Some(id)),
                    4..7 => self.change(table, id, base, Edit::Delete),
                    _ => {
                        let columns = match is_neutral {
                            true => Map::from_iter([("note".to_owned(), Value::Null)]),
                            false => self.columns(table),
                        };
                        self.edit(table, wire(id), base, columns)
                    }
                },
            );
        }
        changes
    }

    /// The end or the beginning of a row that other uploads are about at this very moment: which one it is, `moment` alone says.
    pub(super) fn duel(&mut self, moment: u64) -> Change {
        // What is deleted softly leaves a row that can be locked.
        let table = match moment.is_multiple_of(5) {
            true => Table::Accounts,
            false => Table::Entries,
        };
        let id = 1 + (moment % OF_UPLOADS as u64) as i64;
        match self.random.bool() {
            true => self.insert(table, Some(id)),
            false => self.change(table, id, None, Edit::Delete),
        }
    }

    /// A change that must be rejected.
    pub(super) fn bad(&mut self) -> Change {
        let table = self.table();
        let Some((id, base)) = self.row(table) else {
            return self.unknown(table);
        };
        let columns = match self.random.u8(..5) {
            0 => json!({"note": "x", "nonsense": 1}),
            1 => json!({"note": "x", "amount": "much"}),
            2 => json!({"note": "x", "team": null}),
            3 => {
                let mut change = self.edit(table, wire(id), Some(base), Map::new());
                change.table = "nowhere".into();
                return change;
            }
            _ => return self.unknown(table),
        };
        let columns = columns.as_object().cloned().unwrap_or_default();
        self.edit(table, wire(id), Some(base), columns)
    }

    fn unknown(&mut self, table: Table) -> Change {
        let columns = Map::from_iter([("note".to_owned(), Value::Null)]);
        let id = NOWHERE + self.random.i64(0..1000);
        self.edit(table, wire(id), None, columns)
    }

    /// A row of an id that is gone, or that nobody has had.
    fn insert(&mut self, table: Table, gone: Option<i64>) -> Change {
        let id = gone.unwrap_or_else(|| self.run.ids(1));
        let mut columns = Map::from_iter([
            ("id".to_owned(), wire(id)),
            ("team".to_owned(), self.team().into()),
            ("amount".to_owned(), self.amount()),
        ]);
        if table == Table::Accounts {
            columns.insert("published".into(), self.random.bool().into());
        }
        let mut change = self.change(table, id, None, Edit::Delete);
        if self.random.u8(..4) > 0 {
            columns.insert("note".into(), change.clock.to_string().into());
        }
        change.edit = Edit::Insert(columns);
        change
    }

    /// One to all columns.
    fn columns(&mut self, table: Table) -> Map<String, Value> {
        let mut columns = Map::new();
        while columns.is_empty() {
            if self.random.bool() {
                columns.insert("note".into(), Value::Null);
            }
            if self.random.u8(..3) == 0 {
                columns.insert("amount".into(), self.amount());
            }
            if self.random.u8(..4) == 0 {
                columns.insert("team".into(), self.team().into());
            }
            if table == Table::Accounts && self.random.u8(..4) == 0 {
                columns.insert("published".into(), self.random.bool().into());
            }
        }
        columns
    }

    /// An edit; a note tells from which change it is.
    fn edit(
        &mut self,
        table: Table,
        id: Value,
        base: Option<DateTime<Utc>>,
        columns: Map<String, Value>,
    ) -> Change {
        let clock = self.device.tick();
        let mut columns = columns;
        if let Some(note) = columns.get_mut("note") {
            *note = clock.to_string().into();
        }
        let mut change = Change::new(table.name(), id, clock, Edit::Update(columns));
        change.base = base;
        change
    }

    fn change(&mut self, table: Table, id: i64, base: Option<DateTime<Utc>>, edit: Edit) -> Change {
        let mut change = Change::new(table.name(), wire(id), self.device.tick(), edit);
        change.base = base;
        change
    }

    fn row(&mut self, table: Table) -> Option<(i64, DateTime<Utc>)> {
        self.known[table as usize].any(self.random)
    }

    fn table(&mut self) -> Table {
        match self.random.bool() {
            true => Table::Accounts,
            false => Table::Entries,
        }
    }

    fn team(&mut self) -> &'static str {
        TEAMS[self.random.usize(..TEAMS.len())]
    }

    fn amount(&mut self) -> Value {
        wire(self.random.i64(-50..=50))
    }
}

/// A whole number as it travels.
fn wire(number: i64) -> Value {
    number.to_string().into()
}
