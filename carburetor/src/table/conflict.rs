//! Who wins when two replicas edit one row.

use serde::{Deserialize, Serialize};

/// Who wins when a row was written after the replica saw it: `#[sync(conflict = "..")]`.
///
/// ```
/// use carburetor::table::Conflict;
/// assert_eq!(Conflict::default(), Conflict::Fields);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Conflict {
    /// The later write of each column: edits of different columns both survive.
    #[default]
    Fields,
    /// The later write of the row.
    LastWriteWins,
    /// The row on the server.
    ServerWins,
    /// The replica's edit.
    ClientWins,
    /// What the model's own merge makes of both.
    Custom,
}
