//! Why an upload as a whole failed.

use crate::clock::Clock;
use crate::cutoff::{NO_CLOCK, no_trigger};
use crate::outcome::Rejection;
use crate::remedy::remedy;
use crate::scope::ScopeError;
use crate::wire::WireError;
use chrono::{DateTime, Utc};
use std::fmt;

/// Why an upload as a whole failed. Nothing of it was written (with [`Transactions::PerChange`](super::Transactions::PerChange): nothing but what came before); the replica keeps its changes.
///
/// Converts to and from `diesel::result::Error`, so that `?` works in a transaction.
///
/// ```
/// use carburetor::upload::UploadError;
/// let error = UploadError::TooMany { changes: 20_000, limit: 10_000 };
/// assert_eq!(error.to_string(), "20000 changes are more than one upload takes: send at most 10000 at once");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum UploadError {
    /// A query failed.
    Query(diesel::result::Error),
    /// A scope or filter can't be used.
    Scope(ScopeError),
    /// A value that the database holds can't travel.
    Wire(WireError),
    /// More changes than the limit.
    TooMany {
        /// How many came.
        changes: usize,
        /// How many may.
        limit: usize,
    },
    /// The rows that the changes are answered with have more bytes than the limit.
    LongAnswer {
        /// How many they may have.
        limit: usize,
    },
    /// A change's clock is ahead of the database's time by more than the bound. The replica follows the server's time and gives its unsent changes
    /// new clocks.
    ClockAhead {
        /// The clock.
        clock: Clock,
        /// The database's time.
        server: DateTime<Utc>,
    },
    /// A change has the clock of another one that was answered before: the replica's file was copied or restored. It takes a new id and
    /// new clocks.
    Copied {
        /// The clock.
        clock: Clock,
    },
    /// The tracking's clock has no row in this database.
    NoClock,
    /// A table's tracking is not installed in this database, or without registers.
    NotTracked {
        /// The table.
        table: String,
    },
    /// Triggers of the table's tracking are missing or disabled, so that nobody would be told of what is written.
    NoTrigger {
        /// The table.
        table: String,
    },
    /// All or nothing was asked for, and these changes, by their places, were rejected.
    Refused(Vec<(usize, Rejection)>),
    /// Other writers got in between again and again.
    Busy {
        /// The table.
        table: String,
    },
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UploadError::Query(error) => write!(f, "{error}{}", remedy(error)),
            UploadError::Scope(error) => write!(f, "{error}"),
            UploadError::Wire(error) => write!(f, "{error}"),
            UploadError::TooMany { changes, limit } => write!(
                f,
                "{changes} changes are more than one upload takes: send at most {limit} at once"
            ),
            UploadError::LongAnswer { limit } => write!(
                f,
                "the rows that the changes are answered with have more than {limit} bytes: send fewer changes at once"
            ),
            UploadError::ClockAhead { clock, server } => {
                let millis = i64::try_from(clock.millis()).unwrap_or(i64::MAX);
                let theirs = DateTime::<Utc>::from_timestamp_millis(millis)
                    .unwrap_or(DateTime::<Utc>::MAX_UTC);
                write!(
                    f,
                    "the clock of a change says {}, the server's says {}: follow the server's time, and give the unsent changes new clocks",
                    theirs.format("%Y-%m-%dT%H:%M:%S%.3fZ"),
                    server.format("%Y-%m-%dT%H:%M:%S%.3fZ"),
                )
            }
            UploadError::Copied { clock } => write!(
                f,
                "another change with the clock {clock} was answered before: this is a copy of a replica, which takes a new id and gives its unsent changes new clocks"
            ),
            UploadError::NoClock => f.write_str(NO_CLOCK),
            UploadError::NotTracked { table } => write!(
                f,
                "{table} takes no uploads: run the migration that `Group::tracking()` prints"
            ),
            UploadError::NoTrigger { table } => f.write_str(&no_trigger(table)),
            UploadError::Refused(rejections) => {
                f.write_str("nothing was written")?;
                for (at, rejection) in rejections {
                    write!(f, "; change {at}: {rejection}")?;
                }
                Ok(())
            }
            UploadError::Busy { table } => write!(
                f,
                "other writers inserted the same rows of {table} again and again: upload once more"
            ),
        }
    }
}

impl std::error::Error for UploadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            UploadError::Query(error) => Some(error),
            UploadError::Scope(error) => Some(error),
            UploadError::Wire(error) => Some(error),
            _ => None,
        }
    }
}

impl From<diesel::result::Error> for UploadError {
    fn from(error: diesel::result::Error) -> Self {
        UploadError::Query(error)
    }
}

impl From<UploadError> for diesel::result::Error {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Query(error) => error,
            other => diesel::result::Error::QueryBuilderError(Box::new(other)),
        }
    }
}

impl From<ScopeError> for UploadError {
    fn from(error: ScopeError) -> Self {
        UploadError::Scope(error)
    }
}

impl From<WireError> for UploadError {
    fn from(error: WireError) -> Self {
        UploadError::Wire(error)
    }
}
