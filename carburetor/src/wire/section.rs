//! What stands around the ids and rows of one table: `"users":{"reset":..,"left":..,"removed":[` .. `],"rows":[` .. `],"cutoff":".."}`.

use super::json::{write_key, write_string};
use super::{WireError, instant};
use crate::scope::Left;
use chrono::{DateTime, Utc};

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

/// The text after the last row.
pub(super) fn close(cutoff: DateTime<Utc>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"],\"cutoff\":");
    write_string(&instant::text(cutoff), out);
    out.push(b'}');
}
