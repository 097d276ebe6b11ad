//! Changes: what a replica edited, on its way to the server.

use crate::clock::Clock;
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The table's name on the wire.
    pub table: String,
    /// The id as it travels: a value, or an array of values in the model's order.
    pub id: Value,
    /// When the edit was made, by the replica's clock.
    pub clock: Clock,
    /// The stamp of the row that the edit was made on; none for an insert.
    #[serde(default)]
    pub base: Option<DateTime<Utc>>,
    /// What was done.
    #[serde(flatten)]
    pub edit: Edit,
    /// The values that the edited columns had before, as far as the replica knows them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub was: Map<String, Value>,
}

/// What a [`Change`] does to its row. Columns are named and written as they travel.
///
/// ```
/// use carburetor::change::Edit;
/// assert_eq!(serde_json::to_string(&Edit::Delete)?, r#""delete""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
/// let changes: carburetor::change::Changes = serde_json::from_str(r#"{"carburetor":1,"changes":[]}"#)?;
/// assert!(changes.changes.is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// The version of the protocol.
    #[serde(rename = "carburetor")]
    pub version: u32,
    /// The replica has every outcome up to this clock of its own, and won't ask for them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Clock>,
    /// The changes; those of one replica in the order of their clocks.
    pub changes: Vec<Change>,
}
