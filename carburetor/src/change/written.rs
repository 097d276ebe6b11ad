//! A change as it is written.

use super::Edit;
use crate::clock::Clock;
use crate::wire::instant;
use chrono::{DateTime, Utc};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// The members of a change; others are skipped.
#[derive(Deserialize)]
pub(super) struct Change {
    table: String,
    id: Value,
    clock: Clock,
    #[serde(default, deserialize_with = "instant::deserialize")]
    base: Option<DateTime<Utc>>,
    insert: Option<Map<String, Value>>,
    update: Option<Map<String, Value>>,
    delete: Option<bool>,
    was: Option<Map<String, Value>>,
}

impl TryFrom<Change> for super::Change {
    type Error = String;

    fn try_from(written: Change) -> Result<Self, String> {
        let edit = match (written.insert, written.update, written.delete) {
            (Some(columns), None, None) => Edit::Insert(columns),
            (None, Some(columns), None) => Edit::Update(columns),
            (None, None, Some(true)) => Edit::Delete,
            (None, None, Some(false)) => return Err("`delete` takes `true`".into()),
            (insert, update, delete) => {
                let several = insert.is_some() || update.is_some() || delete.is_some();
                let got = if several { "several" } else { "none" };
                return Err(format!(
                    "expected one of `insert`, `update` and `delete`, got {got}"
                ));
            }
        };
        Ok(super::Change {
            table: written.table,
            id: written.id,
            clock: written.clock,
            base: written.base,
            edit,
            was: written.was.unwrap_or_default(),
        })
    }
}

impl Serialize for super::Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut change = serializer.serialize_map(None)?;
        change.serialize_entry("table", &self.table)?;
        change.serialize_entry("id", &self.id)?;
        change.serialize_entry("clock", &self.clock)?;
        change.serialize_entry("base", &self.base.map(instant::text))?;
        match &self.edit {
            Edit::Insert(columns) => change.serialize_entry("insert", columns)?,
            Edit::Update(columns) => change.serialize_entry("update", columns)?,
            Edit::Delete => change.serialize_entry("delete", &true)?,
        }
        if !self.was.is_empty() {
            change.serialize_entry("was", &self.was)?;
        }
        change.end()
    }
}
