//! Why a download failed.

use crate::cutoff::{NO_CLOCK, no_trigger};
use crate::remedy::remedy;
use crate::scope::ScopeError;
use crate::table::TableDefinition;
use crate::token::TokenError;
use crate::wire::WireError;
use std::fmt;

/// Why a download failed. Nothing was delivered, or what was delivered is to be thrown away; the timestamps stay as they were.
///
/// Converts to and from `diesel::result::Error`, so that `?` works in a transaction.
///
#[doc = include_str!("../../docs/examples/download_error.md")]
#[derive(Debug)]
#[non_exhaustive]
pub enum DownloadError {
    /// A query failed.
    Query(diesel::result::Error),
    /// A scope or filter can't be used.
    Scope(ScopeError),
    /// A value can't be read or can't travel, and the download was to fail with it ([`Scoped::refuse_unreadable`](crate::Scoped::refuse_unreadable)).
    Wire(WireError),
    /// The token is not one of this version.
    Token(TokenError),
    /// The token tells the keys of a scope by their digest only, and they have changed: they are to be sent, too.
    Keys,
    /// Writing the response failed.
    Write(std::io::Error),
    /// The table's tracking is not installed in this database.
    NotTracked {
        /// The table.
        table: String,
    },
    /// Triggers of the table's tracking are missing or disabled, so that writes would be missed.
    NoTrigger {
        /// The table.
        table: String,
    },
    /// A trigger fires after the stamping trigger and could change the stamp.
    LateTrigger {
        /// The table.
        table: String,
        /// The trigger.
        trigger: String,
    },
    /// Tables inherit from it, and what is written to them meets no trigger.
    Inherited {
        /// The table.
        table: String,
    },
    /// The stamp's column is rounded, or of another type than the one whose tracking is installed.
    Stamp {
        /// The table.
        table: String,
        /// The column, with its type.
        stamp: String,
    },
    /// The name leads to another table than the one whose tracking is installed.
    OtherTable {
        /// The table.
        table: String,
    },
    /// Untracked: transactions of other roles are hidden from this role.
    HiddenTransactions {
        /// The role that lacks the right.
        role: String,
    },
    /// Untracked: a session has `track_activities` off, so that its transaction can't be seen.
    ActivityNotTracked,
    /// Untracked tables can't be downloaded from a standby.
    Standby {
        /// The table.
        table: String,
    },
    /// The standby has no watermark yet.
    NoWatermark,
    /// The transaction has written: its rows could still be rolled back. On SQLite, where that can't be seen, any transaction.
    Written,
    /// The transaction already has its snapshot, or would get one older than the cutoff.
    Snapshot,
    /// A removal came after the rows.
    OutOfOrder,
    /// The database did not answer with a cutoff.
    NoCutoff,
    /// The tracking's clock has no row in this database.
    NoClock,
}

impl DownloadError {
    pub(crate) fn circumstance(
        problem: &str,
        definition: &TableDefinition,
        detail: String,
    ) -> Self {
        let table = definition.key();
        match problem {
            "not tracked" => DownloadError::NotTracked { table },
            "no trigger" => DownloadError::NoTrigger { table },
            "late trigger" => DownloadError::LateTrigger {
                table,
                trigger: detail,
            },
            "other table" => DownloadError::OtherTable { table },
            "inherited" => DownloadError::Inherited { table },
            "stamp" => DownloadError::Stamp {
                table,
                stamp: detail,
            },
            "hidden" => DownloadError::HiddenTransactions { role: detail },
            "disabled" => DownloadError::ActivityNotTracked,
            "standby" => DownloadError::Standby { table },
            "no watermark" => DownloadError::NoWatermark,
            "written" => DownloadError::Written,
            "snapshot" => DownloadError::Snapshot,
            "no clock" => DownloadError::NoClock,
            _ => DownloadError::NoCutoff,
        }
    }
}

impl fmt::Display for DownloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DownloadError::Query(error) => write!(f, "{error}{}", remedy(error)),
            DownloadError::Scope(error) => write!(f, "{error}"),
            DownloadError::Wire(error) => write!(f, "{error}"),
            DownloadError::Token(error) => write!(f, "{error}"),
            DownloadError::Keys => f.write_str("the scope's keys have changed since the token: send those that came with it, too"),
            DownloadError::Write(error) => write!(f, "the response could not be written: {error}"),
            DownloadError::NotTracked { table } => write!(
                f,
                "{table} is not tracked: run the migration that `Group::tracking()` prints, or mark the model `#[sync(untracked)]`"
            ),
            DownloadError::NoTrigger { table } => f.write_str(&no_trigger(table)),
            DownloadError::LateTrigger { table, trigger } => write!(
                f,
                "the trigger `{trigger}` of {table} fires after `~carburetor_stamp` and could change the stamp: rename it so that it sorts before"
            ),
            DownloadError::Inherited { table } => write!(
                f,
                "tables inherit from {table}, and its triggers don't reach their rows: track these instead"
            ),
            DownloadError::Stamp { table, stamp } => write!(
                f,
                "the stamp of {table} is {stamp}, which doesn't hold what its trigger writes: give it back the type that `verify` names"
            ),
            DownloadError::OtherTable { table } => write!(
                f,
                "{table} is not the table whose tracking is installed: set the search_path as it was, or run the tracking migration again"
            ),
            DownloadError::HiddenTransactions { role } => write!(
                f,
                "transactions of other roles are hidden from `{role}`: grant pg_read_all_stats to it, or track the tables"
            ),
            DownloadError::ActivityNotTracked => f.write_str(
                "a session has track_activities off, so that its transaction can't be seen: turn it on, or track the tables",
            ),
            DownloadError::Standby { table } => write!(
                f,
                "{table} is untracked and can't be downloaded from a standby: download from the primary, or track the table"
            ),
            DownloadError::NoWatermark => f.write_str(
                "the standby has no watermark: call `carburetor::tracking::watermark` on the primary every second or so",
            ),
            DownloadError::Written => f.write_str(
                "this transaction has written, or may have on SQLite, and what it wrote could still be rolled back: download before it begins or after it ends; a test calls `carburetor::testing::allow` first",
            ),
            DownloadError::Snapshot => f.write_str(
                "this transaction already has its snapshot, which is older than a cutoff read now: download outside of it under read committed, or use `download_consistent`",
            ),
            DownloadError::NoClock => f.write_str(NO_CLOCK),
            DownloadError::OutOfOrder => f.write_str(
                "the database sent a removal after the rows: it rewrote the statement's order; report this with the server's version",
            ),
            DownloadError::NoCutoff => f.write_str(
                "the database did not answer with a cutoff: run `verify` and install the tracking again",
            ),
        }
    }
}

impl std::error::Error for DownloadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DownloadError::Query(error) => Some(error),
            DownloadError::Scope(error) => Some(error),
            DownloadError::Wire(error) => Some(error),
            DownloadError::Token(error) => Some(error),
            DownloadError::Write(error) => Some(error),
            _ => None,
        }
    }
}

impl From<diesel::result::Error> for DownloadError {
    fn from(error: diesel::result::Error) -> Self {
        DownloadError::Query(error)
    }
}

impl From<DownloadError> for diesel::result::Error {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::Query(error) => error,
            other => diesel::result::Error::QueryBuilderError(Box::new(other)),
        }
    }
}

impl From<ScopeError> for DownloadError {
    fn from(error: ScopeError) -> Self {
        DownloadError::Scope(error)
    }
}

impl From<WireError> for DownloadError {
    fn from(error: WireError) -> Self {
        DownloadError::Wire(error)
    }
}

impl From<TokenError> for DownloadError {
    fn from(error: TokenError) -> Self {
        DownloadError::Token(error)
    }
}

impl From<std::io::Error> for DownloadError {
    fn from(error: std::io::Error) -> Self {
        DownloadError::Write(error)
    }
}
