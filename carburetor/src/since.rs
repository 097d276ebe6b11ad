//! From where a table is downloaded.

use chrono::{DateTime, Utc};

/// From where one table of a group is downloaded.
///
/// ```
/// use carburetor::Since;
/// assert_eq!(Since::from(None), Since::Beginning);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Since {
    /// Every visible row; the answer is a reset.
    #[default]
    Beginning,
    /// What changed at this instant or later: a cutoff of an earlier download.
    At(DateTime<Utc>),
    /// Nothing: the table is left out of this download.
    Skip,
}

impl From<Option<DateTime<Utc>>> for Since {
    fn from(timestamp: Option<DateTime<Utc>>) -> Self {
        timestamp.map_or(Since::Beginning, Since::At)
    }
}

impl From<DateTime<Utc>> for Since {
    fn from(timestamp: DateTime<Utc>) -> Self {
        Since::At(timestamp)
    }
}
