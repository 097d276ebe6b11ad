//! What a page says of one table, read column by column: rows as maps would cost more than all the rest.

use super::table::ReplicaTable;
use crate::scope::Left;
use crate::wire::WireError;
use crate::wire::section::Unreadable;
use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// What a page says of one table.
#[derive(Default)]
pub(super) struct Section {
    pub(super) reset: bool,
    pub(super) left: Option<Left>,
    pub(super) removed: Vec<Value>,
    pub(super) rows: Vec<Travelled>,
    /// Up to when it is complete.
    pub(super) cutoff: Option<DateTime<Utc>>,
    pub(super) unreadable: Vec<Unreadable>,
    /// Of unreadable rows without an id all are told anew.
    pub(super) anew: bool,
}

/// A row that travelled, column by column; what it lacks is none.
pub(super) type Travelled = Vec<Option<Value>>;

impl Section {
    pub(super) fn read(table: &ReplicaTable, json: &str) -> Result<Self, WireError> {
        let columns = table.definition.downloaded();
        let columns: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
        SectionOf(&columns)
            .deserialize(&mut serde_json::Deserializer::from_str(json))
            .map_err(|error| WireError::new(error.to_string()).at(&table.definition.wire_name, ""))
    }
}

#[derive(Clone, Copy)]
struct SectionOf<'c>(&'c [&'c str]);

impl<'de> DeserializeSeed<'de> for SectionOf<'_> {
    type Value = Section;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Section, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SectionOf<'_> {
    type Value = Section;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the news of a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Section, A::Error> {
        let mut section = Section::default();
        let mut missing = vec!["reset", "removed", "rows"];
        while let Some(member) = members.next_key::<Cow<'de, str>>()? {
            missing.retain(|name| *name != member);
            match &*member {
                "reset" => section.reset = members.next_value()?,
                "left" => section.left = members.next_value()?,
                "removed" => section.removed = members.next_value()?,
                "rows" => section.rows = members.next_value_seed(RowsOf(self.0))?,
                "cutoff" => {
                    let cutoff: Cow<'de, str> = members.next_value()?;
                    section.cutoff = cutoff.parse().ok();
                }
                "unreadable" => section.unreadable = members.next_value()?,
                "anew" => section.anew = members.next_value()?,
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        match missing.first() {
            None => Ok(section),
            Some(name) => Err(A::Error::missing_field(name)),
        }
    }
}

struct RowsOf<'c>(&'c [&'c str]);

impl<'de> DeserializeSeed<'de> for RowsOf<'_> {
    type Value = Vec<Travelled>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsOf<'_> {
    type Value = Vec<Travelled>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = elements.next_element_seed(RowOf(self.0))? {
            rows.push(row);
        }
        Ok(rows)
    }
}

struct RowOf<'c>(&'c [&'c str]);

impl<'de> DeserializeSeed<'de> for RowOf<'_> {
    type Value = Travelled;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowOf<'_> {
    type Value = Travelled;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Travelled, A::Error> {
        let mut row: Travelled = vec![None; self.0.len()];
        // Servers write the columns in one order, row for row.
        let mut next = 0;
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            let place = match self.0.get(next) {
                Some(expected) if *expected == name => Some(next),
                _ => self.0.iter().position(|column| *column == name),
            };
            match place {
                Some(place) => {
                    row[place] = Some(members.next_value()?);
                    next = place + 1;
                }
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(row)
    }
}
