//! Registers: which write a row's existence and each of its columns hold.

use crate::clock::Clock;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The column of a tracked table that holds its rows' registers.
pub(crate) const COLUMN: &str = "carburetor_registers";

/// The registers of one row that exists.
///
/// Stored as a JSON object in the row itself: the member `""` is the clock of the row's existence and of every column that has no member of
/// its own, the others are named as their columns. Where the stored value is NULL, all is as old as the row's stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registers {
    existence: Clock,
    columns: BTreeMap<String, Clock>,
}

impl Registers {
    /// Those of a row that was inserted as a whole.
    pub(crate) fn at(existence: Clock) -> Self {
        Registers {
            existence,
            columns: BTreeMap::new(),
        }
    }

    /// Those that are stored with a row of this stamp; no stamp is older than everything.
    pub(crate) fn parse(
        stored: Option<&str>,
        stamp: Option<DateTime<Utc>>,
    ) -> Result<Self, RegisterError> {
        let Some(stored) = stored else {
            return Ok(Self::at(stamp.map_or(Clock::ZERO, Clock::of_database)));
        };
        let mut columns: BTreeMap<String, Clock> =
            serde_json::from_str(stored).map_err(|error| RegisterError(error.to_string()))?;
        columns.remove(AHEAD);
        Ok(Registers {
            existence: columns.remove(EXISTENCE).unwrap_or(Clock::ZERO),
            columns,
        })
    }

    /// As they are stored. `now`, the database's clock: what is greater is marked, because the triggers count on the stamp otherwise.
    pub(crate) fn stored(&self, now: Clock) -> String {
        let last = self.last();
        let own = self
            .columns
            .iter()
            .map(|(name, clock)| (name.as_str(), *clock));
        // A column without a member is as old as the row's existence.
        let mut members: BTreeMap<&str, Clock> =
            own.filter(|(_, clock)| *clock != self.existence).collect();
        members.insert(EXISTENCE, self.existence);
        if last > now {
            members.insert(AHEAD, last);
        }
        serde_json::to_string(&members).unwrap_or_default()
    }

    pub(crate) fn existence(&self) -> Clock {
        self.existence
    }

    pub(crate) fn column(&self, name: &str) -> Clock {
        self.columns.get(name).copied().unwrap_or(self.existence)
    }

    /// The greatest of all.
    pub(crate) fn last(&self) -> Clock {
        self.columns
            .values()
            .copied()
            .fold(self.existence, Clock::max)
    }

    pub(crate) fn set(&mut self, column: &str, clock: Clock) {
        self.columns.insert(column.to_owned(), clock);
    }

    /// Raises the row's existence; the columns that had no register of their own keep their clock.
    pub(crate) fn revive(&mut self, clock: Clock, columns: impl Iterator<Item = String>) {
        let before = self.existence;
        for column in columns {
            self.columns.entry(column).or_insert(before);
        }
        self.existence = before.max(clock);
    }
}

/// The member that holds the row's existence.
const EXISTENCE: &str = "";

/// The member that holds the greatest clock, if that was ahead of the database when it was written.
const AHEAD: &str = "+";

/// Registers that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegisterError(pub(crate) String);

#[cfg(test)]
mod tests;
