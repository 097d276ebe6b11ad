//! Changes: what a replica edited, on its way to the server.

mod typed;
mod written;

use crate::clock::Clock;
use crate::wire::{Version, WireError, numbered};
use chrono::{DateTime, Utc};
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::fmt;

/// One edit of one row on a replica.
///
/// ```
/// use carburetor::change::{Change, Edit};
/// let change: Change = serde_json::from_str(
///     r#"{"table":"users","id":"ann","clock":"018bcfe568000001000000000000002a","base":null,"insert":{"id":"ann","name":"Ann"}}"#,
/// )?;
/// assert!(matches!(change.edit, Edit::Insert(_)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "written::Change")]
pub struct Change {
    /// The table's name on the wire.
    pub table: String,
    /// The id as it travels: a value, or an array of values in the model's order.
    pub id: Value,
    /// When the edit was made, by the replica's clock.
    pub clock: Clock,
    /// The stamp of the row that the edit was made on; none for an insert.
    pub base: Option<DateTime<Utc>>,
    /// What was done.
    pub edit: Edit,
    /// The values that the edited columns had before, as far as the replica knows them.
    pub was: Map<String, Value>,
}

/// What a [`Change`] does to its row. Columns are named and written as they travel.
///
/// ```
/// use carburetor::change::{Change, Edit};
/// let deletion = Change {
///     table: "users".into(),
///     id: "ann".into(),
///     clock: "018bcfe568000001000000000000002a".parse()?,
///     base: None,
///     edit: Edit::Delete,
///     was: Default::default(),
/// };
/// assert!(serde_json::to_string(&deletion)?.contains(r#""delete":true"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// A new row, with every column that the replica gives.
    Insert(Map<String, Value>),
    /// The edited columns.
    Update(Map<String, Value>),
    /// The row is gone.
    Delete,
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("table", &self.table)?;
        members.serialize_entry("id", &self.id)?;
        members.serialize_entry("clock", &self.clock)?;
        members.serialize_entry("base", &self.base.map(crate::stamp::text))?;
        match &self.edit {
            Edit::Insert(columns) => members.serialize_entry("insert", columns)?,
            Edit::Update(columns) => members.serialize_entry("update", columns)?,
            Edit::Delete => members.serialize_entry("delete", &true)?,
        }
        if !self.was.is_empty() {
            members.serialize_entry("was", &self.was)?;
        }
        members.end()
    }
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

/// Reads the members of a change; unknown ones are skipped.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Change;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a change: an object with table, id, clock and one of insert, update, delete")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Change, A::Error> {
        let (mut table, mut id, mut clock, mut base, mut was) =
            (None, None, None, None, Map::new());
        let mut edits = Vec::with_capacity(1);
        while let Some(name) = members.next_key::<std::borrow::Cow<'_, str>>()? {
            match name.as_ref() {
                "table" => table = Some(members.next_value()?),
                "id" => id = Some(members.next_value()?),
                "clock" => clock = Some(members.next_value()?),
                "base" => base = members.next_value()?,
                "was" => was = members.next_value()?,
                "insert" => edits.push(Edit::Insert(members.next_value()?)),
                "update" => edits.push(Edit::Update(members.next_value()?)),
                "delete" => {
                    if members.next_value::<bool>()? {
                        edits.push(Edit::Delete);
                    }
                }
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        let edit = edits.pop().filter(|_| edits.is_empty());
        Ok(Change {
            table: table.ok_or_else(|| A::Error::missing_field("table"))?,
            id: id.ok_or_else(|| A::Error::missing_field("id"))?,
            clock: clock.ok_or_else(|| A::Error::missing_field("clock"))?,
            base,
            edit: edit.ok_or_else(|| {
                A::Error::custom("a change has exactly one of insert, update and delete")
            })?,
            was,
        })
    }
}

/// What a replica uploads at once.
///
/// ```
/// use carburetor::change::Changes;
/// let changes = Changes::new(vec![]);
/// assert_eq!(serde_json::to_string(&changes)?, r#"{"carburetor":1,"changes":[]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    carburetor: Version,
    /// The replica has every outcome up to this clock of its own, and won't ask for them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Clock>,
    /// The changes; those of one replica in the order of their clocks.
    #[serde(deserialize_with = "changes")]
    pub changes: Vec<Change>,
}

impl Changes {
    /// These changes, with nothing confirmed.
    ///
    /// ```
    /// # use carburetor::change::Changes;
    /// assert!(Changes::new(vec![]).confirmed.is_none());
    /// ```
    pub fn new(changes: Vec<Change>) -> Self {
        Changes {
            changes,
            ..Changes::default()
        }
    }

    /// Reads an upload that a replica wrote as JSON.
    ///
    /// Tables and columns are not looked at here: what is wrong with them is answered change by change. A change that isn't one (it has no
    /// clock, or two edits) can't be answered, so that the whole message is refused.
    ///
    /// ```
    /// # use carburetor::change::Changes;
    /// let json = br#"{"carburetor":1,"changes":[{"table":"users","id":"ann","clock":"018bcfe568000001000000000000002a"}]}"#;
    /// let error = Changes::read(json).unwrap_err().to_string();
    /// assert!(error.starts_with("not an upload: changes[0]: expected one of `insert`, `update` and `delete`, got none"));
    /// ```
    ///
    /// # Errors
    ///
    /// Text that is not a message of this version; the error tells the place of the change.
    pub fn read(json: &[u8]) -> Result<Self, WireError> {
        serde_json::from_slice(json)
            .map_err(|error| WireError::new(format!("not an upload: {error}")))
    }
}

fn changes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Change>, D::Error> {
    numbered::deserialize("changes", deserializer)
}
