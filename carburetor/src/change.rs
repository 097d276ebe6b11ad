//! Changes: what a replica edited, on its way to the server.

mod typed;
mod written;

use crate::clock::Clock;
use crate::wire::object::Object;
use crate::wire::{Version, WireError, numbered};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
#[non_exhaustive]
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

impl Change {
    /// This edit of the row `id`, as it travels; made on a row that nothing is known of. From a model's values a change is made by
    /// [`insert`](Self::insert), [`update`](Self::update) and [`delete`](Self::delete).
    ///
    /// ```
    /// # use carburetor::change::{Change, Edit};
    /// # use carburetor::clock::Clock;
    /// let mut deletion = Change::new("users", "ann", Clock::new(1, 0, 42), Edit::Delete);
    /// assert!(deletion.base.is_none());
    /// deletion.base = Some("2026-01-31T23:59:59Z".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(table: impl Into<String>, id: impl Into<Value>, clock: Clock, edit: Edit) -> Self {
        Change {
            table: table.into(),
            id: id.into(),
            clock,
            base: None,
            edit,
            was: Map::new(),
        }
    }
}

/// What a [`Change`] does to its row. Columns are named and written as they travel.
///
/// ```
/// use carburetor::change::{Change, Edit};
/// let clock = "018bcfe568000001000000000000002a".parse()?;
/// let deletion = Change::new("users", "ann", clock, Edit::Delete);
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
    /// The origin of the server whose stamps the changes are based on; none where the replica doesn't know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
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
        match serde_json::from_slice(json) {
            Ok(Object(changes)) => Ok(changes),
            Err(error) => Err(WireError::new(format!("not an upload: {error}"))),
        }
    }
}

fn changes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Change>, D::Error> {
    numbered::deserialize("changes", deserializer)
}
