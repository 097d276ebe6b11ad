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
/// Stored as a JSON object in the row itself: the member `""` is the clock of the row's existence and of every column that has none of its own, the
/// others are named as their columns. Columns that were written together share a member, whose name is a [`LIST`] of theirs; a column's own member
/// outweighs that, so that a trigger can add one without reading the rest. Where the stored value is NULL, all is as old as the row's stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registers {
    existence: Clock,
    /// Each column once, in the order of the members' names. A decision keeps copies of what was before; few of them change.
    members: Arc<Vec<Member>>,
}

/// A clock, and the columns that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    /// A column's name, or a [`LIST`].
    name: String,
    clock: Clock,
}

/// What stands before each of several names. A name that contains it stands alone.
const LIST: char = '\n';

impl Registers {
    /// Those of a row that was inserted as a whole.
    pub(crate) fn at(existence: Clock) -> Self {
        Registers {
            existence,
            members: Arc::default(),
        }
    }

    /// Those that are stored with a row of this stamp; no stamp is older than everything. What can't be read, because somebody else has written it, is
    /// as old as the stamp, as it is to the triggers.
    pub(crate) fn parse(stored: Option<&str>, stamp: Option<DateTime<Utc>>) -> Self {
        let members = stored.and_then(|stored| serde_json::from_str(stored).ok());
        let Some(Members(mut members)) = members else {
            return Self::at(stamp.map_or(Clock::ZERO, Clock::of_database));
        };
        let mut registers = Self::at(Clock::ZERO);
        members.retain(|member| {
            if member.name == EXISTENCE {
                registers.existence = member.clock;
            }
            member.name != EXISTENCE && member.name != AHEAD
        });
        members.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        // Lists come first, and who comes later wins.
        let is_list = |member: &Member| member.name.starts_with(LIST);
        match members.len() > 1 && members.iter().any(is_list) {
            true => members.iter().for_each(|member| {
                registers.set(&member.names().collect::<Vec<_>>(), member.clock);
            }),
            false => registers.members = Arc::new(members),
        }
        registers
    }

    /// As they are stored. `now`, the database's clock: what is greater is marked, because the triggers count on the stamp otherwise.
    pub(crate) fn stored(&self, now: Clock) -> String {
        let last = self.last();
        let ahead = (last > now).then_some((AHEAD, last));
        // A column without a member is as old as the row's existence.
        let own = self
            .members
            .iter()
            .map(|member| (member.name.as_str(), member.clock))
            .filter(|(_, clock)| *clock != self.existence);
        let members = [(EXISTENCE, self.existence)].into_iter().chain(ahead);
        let mut text = Vec::with_capacity(72 * (self.members.len() + 1));
        for (name, clock) in members.chain(own) {
            text.push(if text.is_empty() { b'{' } else { b',' });
            json::write_key(name, &mut text);
            json::write_string(clock.write(&mut [0; 32]), &mut text);
        }
        text.push(b'}');
        String::from_utf8(text).unwrap_or_default()
    }

    pub(crate) fn existence(&self) -> Clock {
        self.existence
    }

    pub(crate) fn column(&self, name: &str) -> Clock {
        let is_of = |member: &&Member| member.names().any(|known| known == name);
        self.members
            .iter()
            .find(is_of)
            .map_or(self.existence, |member| member.clock)
    }

    /// The greatest of all.
    pub(crate) fn last(&self) -> Clock {
        self.members
            .iter()
            .map(|member| member.clock)
            .fold(self.existence, Clock::max)
    }

    /// Those of a row that came into being after a deletion with this clock, though what stands in it says less: the deletion was ahead of the
    /// database, whose own clock the row was written by.
    pub(crate) fn after(mut self, deleted: Clock) -> Self {
        if deleted < self.existence {
            return self;
        }
        self.existence = deleted.successor();
        let existence = self.existence;
        if self.members.iter().any(|member| member.clock <= existence) {
            let later = self.members.iter();
            let later = later.filter(|member| member.clock > existence);
            self.members = Arc::new(later.cloned().collect());
        }
        self
    }

    /// Gives `columns` this clock.
    pub(crate) fn set(&mut self, columns: &[&str], clock: Clock) {
        let rest = self.members.iter().flat_map(|member| {
            let rest: Vec<&str> = member
                .names()
                .filter(|name| !columns.contains(name))
                .collect();
            Member::of(rest, member.clock)
        });
        let mut members: Vec<Member> = rest.chain(Member::of(columns.to_vec(), clock)).collect();
        members.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        self.members = Arc::new(members);
    }

    /// Raises the row's existence; the columns that had no register of their own keep their clock.
    pub(crate) fn revive<'c>(&mut self, clock: Clock, columns: impl Iterator<Item = &'c str>) {
        let has_own = |column: &&str| {
            let mut members = self.members.iter();
            members.any(|member| member.names().any(|known| known == *column))
        };
        let columns: Vec<&str> = columns.filter(|column| !has_own(column)).collect();
        self.set(&columns, self.existence);
        self.existence = self.existence.max(clock);
    }
}

impl Member {
    /// As few members as these columns need.
    fn of(mut names: Vec<&str>, clock: Clock) -> impl Iterator<Item = Self> {
        names.sort_unstable();
        let is_alone = |name: &&str| name.contains(LIST);
        let alone: Vec<String> = names
            .iter()
            .filter(|name| is_alone(name))
            .map(|name| (*name).to_owned())
            .collect();
        names.retain(|name| !is_alone(name));
        let together = match names.as_slice() {
            [] => None,
            [name] => Some((*name).to_owned()),
            names => {
                let mut list = String::with_capacity(names.iter().map(|name| name.len() + 1).sum());
                for name in names {
                    list.push(LIST);
                    list.push_str(name);
                }
                Some(list)
            }
        };
        together
            .into_iter()
            .chain(alone)
            .map(move |name| Member { name, clock })
    }

    /// The columns.
    fn names(&self) -> impl Iterator<Item = &str> {
        let (list, alone) = match self.name.strip_prefix(LIST) {
            Some(list) => (Some(list), None),
            None => (None, Some(self.name.as_str())),
        };
        list.into_iter()
            .flat_map(|list| list.split(LIST))
            .chain(alone)
    }
}

/// The clock of `column` in `registers`, as SQL for SQLite.
#[cfg(feature = "replica")]
pub(crate) fn column_sql(registers: &str, column: &str) -> String {
    use crate::table::literal;
    format!(
        "coalesce((select value from json_each({registers}) where key = {name}),
      (select value from json_each({registers}) where substr(key, 1, 1) = {list} and instr(key || {list}, {list} || {name} || {list})),
      {registers} ->> '$.\"\"')",
        name = literal(column),
        list = format_args!("char({})", u32::from(LIST)),
    )
}

/// The member that holds the row's existence.
const EXISTENCE: &str = "";

/// The member that holds the greatest clock, if that was ahead of the database when it was written.
const AHEAD: &str = "+";

/// The members of a JSON object, in whatever order they come.
struct Members(Vec<Member>);

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
        while let Some((name, clock)) = map.next_entry()? {
            self.0.push(Member { name, clock });
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
