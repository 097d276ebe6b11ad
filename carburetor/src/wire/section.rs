//! What stands around the ids and rows of one table: `"users":{"reset":..,"left":..,"removed":[` .. `],"rows":[` .. `],"unreadable":..,"anew":..,"cutoff":".."}`.

use super::json::{write_key, write_string};
use super::{WireError, instant};
use crate::scope::Left;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The text between the removals and the rows.
pub(super) const ROWS: &[u8] = b"],\"rows\":[";

/// The text before the first removal.
pub(super) fn open(
    name: &str,
    reset: bool,
    left: Option<&Left>,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    write_key(name, out);
    out.extend_from_slice(if reset {
        b"{\"reset\":true"
    } else {
        b"{\"reset\":false"
    });
    if let Some(left) = left {
        out.extend_from_slice(b",\"left\":");
        serde_json::to_writer(&mut *out, left)
            .map_err(|error| WireError::new(error.to_string()).at(name, ""))?;
    }
    out.extend_from_slice(b",\"removed\":[");
    Ok(())
}

/// The text after the last row. `anew`: of the unreadable rows that have no name all are told from here on.
pub(super) fn close(
    unreadable: &[WireError],
    anew: bool,
    cutoff: DateTime<Utc>,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    out.push(b']');
    if !unreadable.is_empty() {
        let told: Vec<Unreadable> = unreadable.iter().map(Unreadable::of).collect();
        out.extend_from_slice(b",\"unreadable\":");
        serde_json::to_writer(&mut *out, &told)
            .map_err(|error| WireError::new(error.to_string()))?;
    }
    if anew {
        out.extend_from_slice(b",\"anew\":true");
    }
    out.extend_from_slice(b",\"cutoff\":");
    write_string(&instant::text(cutoff), out);
    out.push(b'}');
    Ok(())
}

/// How many characters of what is wrong travel.
const SAID: usize = 300;

/// What is said of a row that can't travel.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Unreadable {
    /// None, or `null`, where the id can't travel either.
    #[serde(default)]
    pub(crate) id: Option<Value>,
    #[serde(default)]
    pub(crate) column: String,
    #[serde(default)]
    pub(crate) message: String,
}

impl Unreadable {
    pub(crate) fn of(error: &WireError) -> Self {
        Unreadable {
            id: error.id.clone(),
            column: error.column.clone(),
            message: error.message.chars().take(SAID).collect(),
        }
    }

    /// The same as an error, of a row of `table`.
    pub(crate) fn into_error(self, table: &str) -> WireError {
        WireError {
            id: self.id,
            ..WireError::new(self.message).at(table, &self.column)
        }
    }
}
