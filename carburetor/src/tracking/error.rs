//! Why tracking could not be installed, printed or read.

use super::Problem;
use crate::remedy::remedy;
use std::fmt;

/// Why something about the tracking failed.
///
/// Converts to and from `diesel::result::Error`, so that `?` works in a transaction.
///
/// ```
/// use carburetor::tracking::TrackingError;
/// let error = TrackingError::Locked { table: "users".into() };
/// assert_eq!(
///     error.to_string(),
///     "users is in use: its lock did not come free in several attempts; try again when the transactions that write it are shorter",
/// );
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum TrackingError {
    /// A query failed.
    Query(diesel::result::Error),
    /// Tables can't be tracked as they are.
    Refused(Vec<Problem>),
    /// Other transactions held the table for too long.
    Locked {
        /// The table, or `the registry`.
        table: String,
    },
    /// An index could not be built beside the writers of its table.
    NoIndex {
        /// The table.
        table: String,
    },
    /// The text is no `up.sql` of tracking: the line with the definitions is missing, or can't be read.
    NotTracking(Option<serde_json::Error>),
}

impl fmt::Display for TrackingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrackingError::Query(error) => write!(f, "{error}{}", remedy(error)),
            TrackingError::Refused(problems) => {
                f.write_str("not tracked")?;
                for (at, problem) in problems.iter().enumerate() {
                    write!(f, "{} {problem}", if at == 0 { ":" } else { "." })?;
                }
                Ok(())
            }
            TrackingError::Locked { table } => write!(
                f,
                "{table} is in use: its lock did not come free in several attempts; try again when the transactions that write it are shorter"
            ),
            TrackingError::NoIndex { table } => write!(
                f,
                "the index of {table} could not be built beside its writers; run what `index_sql` returns when there are fewer of them"
            ),
            TrackingError::NotTracking(None) => f.write_str(
                "the text has no line with tracked definitions; pass an up.sql that `Tracking` printed, or read them with `Installed::read`",
            ),
            TrackingError::NotTracking(Some(error)) => write!(
                f,
                "the tracked definitions can't be read: {error}; leave the lines that begin with `-- carburetor:` as they were printed"
            ),
        }
    }
}

impl std::error::Error for TrackingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TrackingError::Query(error) => Some(error),
            TrackingError::NotTracking(Some(error)) => Some(error),
            _ => None,
        }
    }
}

impl From<diesel::result::Error> for TrackingError {
    fn from(error: diesel::result::Error) -> Self {
        TrackingError::Query(error)
    }
}

impl From<TrackingError> for diesel::result::Error {
    fn from(error: TrackingError) -> Self {
        match error {
            TrackingError::Query(error) => error,
            other => diesel::result::Error::QueryBuilderError(Box::new(other)),
        }
    }
}
