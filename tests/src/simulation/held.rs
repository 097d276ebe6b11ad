//! What must stand under one id, on the server: its values with the clocks of the writes that they are of, or when it was deleted.

use super::models::Table;
use super::rows::{Key, Row, written};
use carburetor::clock::Clock;
use chrono::DateTime;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is known of an id.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub(super) live: Option<Live>,
    /// The greatest clock of its deletions.
    pub(super) deleted: Option<Clock>,
    /// The team that it was of when it was deleted.
    pub(super) team: Option<Value>,
}

/// A row that exists.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) values: BTreeMap<String, Value>,
    /// The clock of the last write of each column.
    pub(super) clocks: BTreeMap<&'static str, Clock>,
    pub(super) existence: Clock,
    pub(super) stamp: i64,
    /// It was written since its stamp was looked at.
    pub(super) is_news: bool,
}

/// What becomes of a change.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// Later writes won.
    Loses,
    /// What it says was there.
    Known,
    /// Some of it counts.
    Counts,
}

impl Live {
    pub(super) fn last(&self) -> Clock {
        let clocks = self.clocks.values().copied();
        clocks.fold(self.existence, Clock::max)
    }

    /// The clock that an edit of the column must exceed.
    fn clock(&self, table: &Table, column: &str) -> Clock {
        match table.is_unit {
            true => self.clocks.values().copied().fold(Clock::ZERO, Clock::max),
            false => self.clocks[column],
        }
    }

    /// A row whose columns are all of one write, after the stamp `last`.
    pub(super) fn new(
        table: &Table,
        values: BTreeMap<String, Value>,
        clock: Clock,
        last: i64,
    ) -> Self {
        Live {
            values,
            clocks: table.columns.iter().map(|name| (*name, clock)).collect(),
            existence: clock,
            stamp: last,
            is_news: true,
        }
    }

    pub(super) fn write(
        &mut self,
        table: &'static Table,
        columns: &Map<String, Value>,
        clock: Clock,
    ) -> Effect {
        let before: Vec<Clock> = table
            .columns
            .iter()
            .map(|column| self.clock(table, column))
            .collect();
        let mut effect = Effect::Known;
        for (column, value) in written(table, columns) {
            let place = table.columns.iter().position(|name| *name == column);
            let held = before[place.unwrap_or_default()];
            if clock > held {
                let before = self.values.insert(column.to_owned(), value.clone());
                self.clocks.insert(column, clock);
                self.is_news |= before.as_ref() != Some(value);
                effect = Effect::Counts;
            } else if clock < held && effect == Effect::Known {
                effect = Effect::Loses;
            }
        }
        effect
    }
}

/// When the server wrote what has this stamp.
pub(super) fn at(micros: i64) -> Clock {
    Clock::of_database(DateTime::from_timestamp_micros(micros).expect("a stamp is an instant"))
}

impl Live {
    /// What is not later than the deletion before counts as just after it.
    pub(super) fn compare(
        &mut self,
        table: &Table,
        row: &Row,
        deleted: Option<Clock>,
    ) -> Result<(), String> {
        let stamp = row.stamp.ok_or("there is no stamp")?;
        if self.is_news && stamp <= self.stamp {
            return Err(format!(
                "it was written, and its stamp went from {} to {stamp}: {self:?}",
                self.stamp
            ));
        }
        (self.stamp, self.is_news) = (stamp, false);
        let registers = match &row.registers {
            Some(registers) => {
                crate::registers(registers).map_err(|error| format!("registers: {error}"))?
            }
            // All is as old as the stamp.
            None => BTreeMap::from([(String::new(), at(stamp))]),
        };
        let existence = registers.get("").copied().unwrap_or(Clock::ZERO);
        let least = deleted.filter(|deleted| *deleted >= existence);
        let least = least.map_or(Clock::ZERO, Clock::successor);
        let existence = existence.max(least);
        if existence != self.existence {
            return Err(format!(
                "it exists since {}, not {existence}",
                self.existence
            ));
        }
        for column in table.columns {
            let (value, stored) = (&self.values[*column], &row.values[*column]);
            let clock = self.clocks[column];
            if value != stored {
                return Err(format!(
                    "{column} was last set to {value} at {clock}, and is {stored}"
                ));
            }
            let register = registers
                .get(*column)
                .copied()
                .unwrap_or(existence)
                .max(least);
            if register != clock {
                return Err(format!(
                    "{column} was last written at {clock}, not {register}"
                ));
            }
        }
        Ok(())
    }
}

impl Held {
    /// Its row was deleted by SQL, or along with another one; the server tells when, which has to be between its last write and `latest`. A row that was replaced by another one of
    /// its id need not count as deleted.
    pub(super) fn delete(
        &mut self,
        key: &Key,
        deletions: &[(Key, String)],
        latest: Clock,
        is_replaced: bool,
    ) -> Result<(), String> {
        let Some(live) = self.live.take() else {
            return Ok(());
        };
        self.team = live.values.get("team").cloned();
        let known = deletions.iter().find(|(deleted, _)| deleted == key);
        let known = known.and_then(|(_, clock)| clock.parse::<Clock>().ok());
        let before = self.deleted.unwrap_or_default();
        let least = match live.last() == before.successor() {
            // A row that is not written by a later clock than a deletion from ahead may be deleted by that one.
            true => before,
            false => before.max(live.last().successor()),
        };
        if is_replaced && known.is_none_or(|known| known < least) {
            return Ok(());
        }
        let known = known.ok_or_else(|| format!("{key:?}: the deletion was not noted"))?;
        // The row may remember a clock of a column that was overwritten since.
        if known < least || known > least.successor().max(latest) {
            return Err(format!(
                "{key:?} was deleted between {least} and {}, not at {known}",
                latest
            ));
        }
        self.deleted = Some(known);
        Ok(())
    }
}
