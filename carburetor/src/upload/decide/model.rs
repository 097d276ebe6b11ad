//! A table in memory that is written as decisions say, the way an upload writes one in a database.

use super::{Asked, Decision, Held, Kind, decide, missing_unit_columns};
use crate::clock::Clock;
use crate::register::Registers;
use crate::table::{ColumnDefinition, Conflict, TableDefinition};
use chrono::DateTime;
use std::collections::BTreeMap;

/// The columns that updates give, and one that only inserts give.
pub(super) const EDITED: [&str; 4] = ["a", "b", "x", "y"];
pub(super) const ONCE: &str = "once";

/// A change whose values are its clock.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) id: u8,
    pub(super) clock: Clock,
    pub(super) kind: Kind,
    /// An update's columns.
    pub(super) columns: Vec<&'static str>,
}

impl Edit {
    /// The columns that it gives in this table: an insert all, an update also the rest of the unit that it touches.
    pub(super) fn given<'c>(&'c self, definition: &'c TableDefinition) -> Vec<&'c str> {
        match self.kind {
            Kind::Insert => EDITED.into_iter().chain([ONCE]).collect(),
            Kind::Update => {
                let missing = missing_unit_columns(definition, &self.columns);
                self.columns.iter().copied().chain(missing).collect()
            }
            Kind::Delete => Vec::new(),
        }
    }
}

/// A table whose columns `units` are resolved as one, and the others each for itself.
pub(super) fn table(units: &[&str]) -> TableDefinition {
    let column = |name: &str| ColumnDefinition {
        id: name == "id",
        last_synced_at: name == "at",
        immutable: name == ONCE,
        conflict: units.contains(&name).then_some(Conflict::LastWriteWins),
        ..ColumnDefinition::new(name)
    };
    let names = ["id", "at"].into_iter().chain(EDITED).chain([ONCE]);
    TableDefinition {
        table: "notes".into(),
        columns: names.map(column).collect(),
        ..TableDefinition::default()
    }
}

/// [`table`], whose deletions set a column.
pub(super) fn soft(units: &[&str]) -> TableDefinition {
    let mut table = table(units);
    table.columns.push(ColumnDefinition {
        deleted: true,
        ..ColumnDefinition::new("deleted")
    });
    table
}

/// What is to be seen of one id.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Seen {
    Live {
        existence: Clock,
        /// The value and the register of each column.
        columns: BTreeMap<String, (Option<Clock>, Clock)>,
    },
    Gone(Clock),
}

pub(super) struct Table<'d> {
    definition: &'d TableDefinition,
    rows: BTreeMap<u8, Row>,
    /// The clocks of deletions, where the table has no column for them.
    deletions: BTreeMap<u8, Clock>,
}

struct Row {
    values: BTreeMap<String, Clock>,
    registers: Registers,
    is_deleted: bool,
}

impl<'d> Table<'d> {
    pub(super) fn new(definition: &'d TableDefinition) -> Self {
        Table {
            definition,
            rows: BTreeMap::new(),
            deletions: BTreeMap::new(),
        }
    }

    pub(super) fn apply(&mut self, edit: &Edit) {
        let given = edit.given(self.definition);
        let asked = Asked {
            clock: edit.clock,
            base: None,
            kind: edit.kind,
            columns: given.clone(),
        };
        match decide(self.definition, &self.held(edit.id), &asked, Clock::ZERO) {
            Decision::Insert { registers } => {
                let row = Row {
                    values: values(&given, edit.clock),
                    registers,
                    is_deleted: false,
                };
                self.rows.insert(edit.id, row);
            }
            Decision::Write(write) => {
                let row = self.rows.get_mut(&edit.id).unwrap();
                row.values.extend(values(&write.won, edit.clock));
                row.registers = write.registers;
                assert!(write.merged.is_empty());
            }
            Decision::Delete { .. } | Decision::DeleteAgain => self.delete(edit),
            Decision::Repeated | Decision::Superseded => {}
            Decision::Rejected(code) => panic!("{edit:?} {code:?}"),
        }
    }

    fn delete(&mut self, edit: &Edit) {
        let Some(column) = self.definition.deleted() else {
            self.rows.remove(&edit.id);
            let known = self.deletions.entry(edit.id).or_default();
            *known = edit.clock.max(*known);
            return;
        };
        let row = self.rows.get_mut(&edit.id).unwrap();
        row.is_deleted = true;
        let clock = edit.clock.max(row.registers.column(&column.name));
        row.registers.set(&[&column.name], clock);
    }

    fn held(&self, id: u8) -> Held {
        match (self.rows.get(&id), self.deletions.get(&id)) {
            (Some(row), _) if row.is_deleted => Held::Gone(row.registers.column("deleted")),
            // What is stored is what the next decision sees.
            (Some(row), _) => Held::Live {
                stamp: Some(DateTime::UNIX_EPOCH),
                registers: Registers::parse(Some(&row.registers.stored(Clock::ZERO)), None),
            },
            (None, Some(clock)) => Held::Gone(*clock),
            (None, None) => Held::Unknown,
        }
    }

    pub(super) fn seen(&self) -> BTreeMap<u8, Seen> {
        let ids = self.rows.keys().chain(self.deletions.keys());
        ids.map(|id| (*id, self.one(*id))).collect()
    }

    fn one(&self, id: u8) -> Seen {
        let registers = match self.held(id) {
            Held::Live { registers, .. } => registers,
            Held::Gone(clock) => return Seen::Gone(clock),
            Held::Unknown => unreachable!("{id}"),
        };
        let columns = EDITED.into_iter().chain([ONCE]).map(|name| {
            let value = self.rows[&id].values.get(name).copied();
            (name.to_owned(), (value, registers.column(name)))
        });
        Seen::Live {
            existence: registers.existence(),
            columns: columns.collect(),
        }
    }
}

fn values(columns: &[&str], clock: Clock) -> BTreeMap<String, Clock> {
    columns
        .iter()
        .map(|column| ((*column).to_owned(), clock))
        .collect()
}
