//! Rows as the simulation reads them, on the server and on a device alike.

use super::models::{Member, Table};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A table and an id.
pub(super) type Key = (&'static str, String);

/// What stands under each id.
pub(super) type Rows = BTreeMap<Key, Row>;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// The columns that programs write, as they travel.
    pub(super) values: BTreeMap<String, Value>,
    /// Microseconds since 1970; a replica's new row has none yet.
    pub(super) stamp: Option<i64>,
    /// As the server keeps them.
    pub(super) registers: Option<String>,
}

impl Row {
    pub(super) fn is_visible(&self, member: &Member) -> bool {
        member.sees(self.values["team"].as_str())
    }
}

/// What a table has of a row.
#[derive(QueryableByName)]
pub(super) struct Line {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    content: String,
    #[diesel(sql_type = Nullable<Text>)]
    registers: Option<String>,
}

/// The query for the rows of a table, `object` being the database's function that makes JSON.
pub(super) fn query(table: &Table, object: &str, registers: &str) -> String {
    let pairs: Vec<String> = table
        .columns
        .iter()
        .chain(&["at"])
        .map(|column| format!("'{column}', \"{column}\""))
        .collect();
    format!(
        "select id, cast({object}({}) as text) as content, cast({registers} as text) as registers from {}",
        pairs.join(", "),
        table.name
    )
}

/// The rows of one table.
pub(super) fn rows(table: &'static Table, lines: Vec<Line>) -> impl Iterator<Item = (Key, Row)> {
    lines.into_iter().map(|line| {
        let mut values: BTreeMap<String, Value> =
            serde_json::from_str(&line.content).expect("a row is JSON");
        let stamp = values.remove("at").and_then(|stamp| {
            let stamp: DateTime<Utc> = stamp.as_str()?.parse().ok()?;
            Some(stamp.timestamp_micros())
        });
        let row = Row {
            values: values
                .into_iter()
                .map(|(name, value)| (name, travelling(value)))
                .collect(),
            stamp,
            registers: line.registers,
        };
        ((table.name, line.id), row)
    })
}

/// PROTOCOL.md: a BIGINT travels as text.
fn travelling(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        other => other,
    }
}

/// A row of a page, and its id.
pub(super) fn travelled(table: &'static str, row: &Value) -> (String, Row) {
    let columns = Table::of(table).columns.iter();
    let values = columns.map(|column| ((*column).to_owned(), row[*column].clone()));
    let stamp = row["at"].as_str().and_then(|at| at.parse().ok());
    let version = Row {
        values: values.collect(),
        stamp: stamp.map(|stamp: DateTime<Utc>| stamp.timestamp_micros()),
        registers: None,
    };
    (row["id"].as_str().unwrap_or_default().to_owned(), version)
}

/// The columns of a change that programs write.
pub(super) fn written<'c>(
    table: &'static Table,
    columns: &'c Map<String, Value>,
) -> impl Iterator<Item = (&'static str, &'c Value)> {
    let names = table.columns.iter();
    names.filter_map(|name| Some((*name, columns.get(*name)?)))
}

/// Whether a replica holds what it should under those keys.
pub(super) fn differ(
    why: &str,
    should: &Rows,
    rows: &Rows,
    matters: impl Fn(&Key) -> bool,
) -> Result<(), String> {
    let keys: BTreeSet<&Key> = should.keys().chain(rows.keys()).collect();
    for key in keys.into_iter().filter(|key| matters(key)) {
        let (should, is) = (should.get(key), rows.get(key));
        let same = |row: &Row| (row.values.clone(), row.stamp);
        if should.map(same) != is.map(same) {
            return Err(format!(
                "{key:?}: {why} {should:?}, and the replica holds {is:?}"
            ));
        }
    }
    Ok(())
}
