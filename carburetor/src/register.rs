//! Registers: which write a row's existence and each of its columns hold.

use crate::clock::Clock;
use crate::wire::json;
use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::sync::Arc;

/// The column of a tracked table that holds its rows' registers.
pub(crate) const COLUMN: &str = "carburetor_registers";

/// The registers of one row that exists.
///
/// Stored as a JSON object in the row itself: the member `""` is the clock of the row's existence and of every column that has no member of
/// its own, the others are named as their columns. Where the stored value is NULL, all is as old as the row's stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registers {
    existence: Clock,
    /// In the order of the names. A decision keeps copies of what was before; few of them change.
    columns: Arc<Vec<(String, Clock)>>,
}

impl Registers {
    /// Those of a row that was inserted as a whole.
    pub(crate) fn at(existence: Clock) -> Self {
        Registers {
            existence,
            columns: Arc::default(),
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
        let Members(members) =
            serde_json::from_str(stored).map_err(|error| RegisterError(error.to_string()))?;
        let mut registers = Self::at(Clock::ZERO);
        let mut columns = Vec::with_capacity(members.len());
        for (name, clock) in members {
            match name.as_str() {
                EXISTENCE => registers.existence = clock,
                AHEAD => {}
                _ => columns.push((name, clock)),
            }
        }
        columns.sort_unstable();
        registers.columns = Arc::new(columns);
        Ok(registers)
    }

    /// As they are stored. `now`, the database's clock: what is greater is marked, because the triggers count on the stamp otherwise.
    pub(crate) fn stored(&self, now: Clock) -> String {
        let last = self.last();
        let ahead = (last > now).then_some((AHEAD, last));
        // A column without a member is as old as the row's existence.
        let own = self
            .columns
            .iter()
            .map(|(name, clock)| (name.as_str(), *clock))
            .filter(|(_, clock)| *clock != self.existence);
        let members = [(EXISTENCE, self.existence)].into_iter().chain(ahead);
        let mut text = Vec::with_capacity(48 * (self.columns.len() + 2));
        for (name, clock) in members.chain(own) {
            text.push(if text.is_empty() { b'{' } else { b',' });
            json::write_key(name, &mut text);
            json::write_string(&clock.to_string(), &mut text);
        }
        text.push(b'}');
        String::from_utf8(text).unwrap_or_default()
    }

    pub(crate) fn existence(&self) -> Clock {
        self.existence
    }

    pub(crate) fn column(&self, name: &str) -> Clock {
        match self.place(name) {
            Ok(place) => self.columns[place].1,
            Err(_) => self.existence,
        }
    }

    /// The greatest of all.
    pub(crate) fn last(&self) -> Clock {
        self.columns
            .iter()
            .map(|(_, clock)| *clock)
            .fold(self.existence, Clock::max)
    }

    pub(crate) fn set(&mut self, column: &str, clock: Clock) {
        let place = self.place(column);
        let columns = Arc::make_mut(&mut self.columns);
        match place {
            Ok(place) => columns[place].1 = clock,
            Err(place) => columns.insert(place, (column.to_owned(), clock)),
        }
    }

    /// Raises the row's existence; the columns that had no register of their own keep their clock.
    pub(crate) fn revive<'c>(&mut self, clock: Clock, columns: impl Iterator<Item = &'c str>) {
        let before = self.existence;
        for column in columns {
            if self.place(column).is_err() {
                self.set(column, before);
            }
        }
        self.existence = before.max(clock);
    }

    fn place(&self, column: &str) -> Result<usize, usize> {
        self.columns
            .binary_search_by(|(name, _)| name.as_str().cmp(column))
    }
}

/// The member that holds the row's existence.
const EXISTENCE: &str = "";

/// The member that holds the greatest clock, if that was ahead of the database when it was written.
const AHEAD: &str = "+";

/// The members of a JSON object, in whatever order they come.
struct Members(Vec<(String, Clock)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(Vec::new()))
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of clocks")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(member) = map.next_entry()? {
            self.0.push(member);
        }
        Ok(self)
    }
}

/// Registers that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegisterError(pub(crate) String);

#[cfg(test)]
mod tests;
