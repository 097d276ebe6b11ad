//! Why a replica can't be opened or synced.

use super::table::ReplicaTable;
use super::transport::TransportError;
use crate::clock::Clock;
use crate::connection::shortage::is_passing;
use crate::table::TableDefinition;
use crate::wire::{UNSENT, WireError};
use std::fmt;

/// Why a replica can't be opened or synced. Nothing is lost: what was edited waits in the file, and what arrived is there or comes again.
///
/// ```
/// use carburetor::replica::ReplicaError;
/// let error = ReplicaError::Table { table: "notes".into(), problem: "the column `body` is missing".into() };
/// assert_eq!(error.to_string(), "notes: the column `body` is missing");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ReplicaError {
    /// The file can't be opened.
    Connection(diesel::ConnectionError),
    /// A statement failed.
    Query(diesel::result::Error),
    /// A table of the file can't be a replica's.
    Table {
        /// The table.
        table: String,
        /// What is wrong with it, and the remedy.
        problem: String,
    },
    /// The file holds what another account edited and has not uploaded.
    OtherAccount {
        /// Whose edits they are; empty where the file was opened without an account.
        account: String,
    },
    /// The file has become another account's, or nobody's, since it was opened.
    SignedOut {
        /// Whose it was; empty where it was opened without an account.
        account: String,
    },
    /// The account can't sign out, because edits wait for the server.
    Pending {
        /// How many changes.
        changes: u64,
    },
    /// The file serves other devices, whose rows and changes are in it, too.
    Hub,
    /// The server doesn't send a column that the program's model has: one of the two has to be updated.
    Unsent {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A message, or a value of the file, can't be read.
    Wire(WireError),
    /// The server can't be reached, or refuses.
    Transport(TransportError),
    /// The server's answer doesn't fit the changes that were sent.
    Answer {
        /// The clock of the change, if there is one at this place.
        sent: Option<Clock>,
        /// The clock that was answered.
        answered: Option<Clock>,
    },
    /// What was done has led to nothing, and would be done again and again. It is a mistake of this library's: report it.
    Stuck {
        /// The table.
        table: String,
        /// What was done, and to what.
        problem: String,
    },
    /// A task was cut off, because the program's runtime ends.
    Stopped,
}

impl ReplicaError {
    /// The change of this clock doesn't leave the outbox.
    pub(super) fn stuck(table: &ReplicaTable, clock: &str) -> Self {
        ReplicaError::Stuck {
            table: table.definition.table.clone(),
            problem: format!(
                "the change {clock} doesn't leave the outbox, whatever is done with it: report this"
            ),
        }
    }

    pub(super) fn table(definition: &TableDefinition, problem: String) -> Self {
        ReplicaError::Table {
            table: definition.table.clone(),
            problem,
        }
    }

    /// Trying again won't help, because it isn't for the server or the network that it failed.
    pub(super) fn is_of_file(&self) -> bool {
        match self {
            ReplicaError::Query(error) => !is_passing(error),
            ReplicaError::Connection(_)
            | ReplicaError::Table { .. }
            | ReplicaError::OtherAccount { .. }
            | ReplicaError::SignedOut { .. }
            | ReplicaError::Pending { .. }
            | ReplicaError::Hub
            | ReplicaError::Stopped => true,
            ReplicaError::Unsent { .. }
            | ReplicaError::Wire(_)
            | ReplicaError::Transport(_)
            | ReplicaError::Answer { .. }
            | ReplicaError::Stuck { .. } => false,
        }
    }

    /// Nothing else that is sent now would get through.
    pub(super) fn is_of_all(&self) -> bool {
        match self {
            ReplicaError::Transport(error) => error.is_of_all(),
            _ => self.is_of_file(),
        }
    }
}

impl fmt::Display for ReplicaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none =
            |clock: &Option<Clock>| clock.map_or("none".to_owned(), |clock| clock.to_string());
        match self {
            ReplicaError::Connection(error) => write!(f, "{error}"),
            ReplicaError::Query(error) => write!(f, "{error}"),
            ReplicaError::Table { table, problem } | ReplicaError::Stuck { table, problem } => {
                write!(f, "{table}: {problem}")
            }
            ReplicaError::OtherAccount { account } if account.is_empty() => f.write_str(
                "the file holds changes that the server hasn't got, of whoever opened it without an account: open it without `account` and sync, or take another file",
            ),
            ReplicaError::OtherAccount { account } => write!(
                f,
                "the file holds changes of the account `{account}` that the server hasn't got: open it for that account and sync, or take another file"
            ),
            ReplicaError::SignedOut { account } if account.is_empty() => f.write_str(
                "the file is no longer of whoever opened it without an account: open it again for the account that uses it",
            ),
            ReplicaError::SignedOut { account } => write!(
                f,
                "the file is no longer of the account `{account}`: open it again for the account that uses it"
            ),
            ReplicaError::Pending { changes } => write!(
                f,
                "the server hasn't answered {changes} change{}, which would be lost: sync first, or discard by `discard_pending`",
                if *changes == 1 { "" } else { "s" }
            ),
            ReplicaError::Hub => f.write_str(
                "the file serves other devices, whose rows and changes are in it, too: let them sync, and begin with a new file",
            ),
            ReplicaError::Unsent { table, column } => write!(f, "{table}.{column}: {UNSENT}"),
            ReplicaError::Wire(error) => write!(f, "{error}"),
            ReplicaError::Transport(error) => write!(f, "{error}"),
            ReplicaError::Answer { sent, answered } => write!(
                f,
                "the server's answer doesn't fit what was sent: the change {} is answered as {}; the changes are sent again with the next sync",
                or_none(sent),
                or_none(answered)
            ),
            ReplicaError::Stopped => {
                f.write_str("the runtime ends: sync again when the program is back")
            }
        }
    }
}

impl std::error::Error for ReplicaError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ReplicaError::Connection(error) => Some(error),
            ReplicaError::Query(error) => Some(error),
            ReplicaError::Wire(error) => Some(error),
            ReplicaError::Transport(error) => Some(error),
            _ => None,
        }
    }
}

impl From<diesel::ConnectionError> for ReplicaError {
    fn from(error: diesel::ConnectionError) -> Self {
        ReplicaError::Connection(error)
    }
}

impl From<diesel::result::Error> for ReplicaError {
    fn from(error: diesel::result::Error) -> Self {
        ReplicaError::Query(error)
    }
}

impl From<WireError> for ReplicaError {
    fn from(error: WireError) -> Self {
        ReplicaError::Wire(error)
    }
}

impl From<TransportError> for ReplicaError {
    fn from(error: TransportError) -> Self {
        ReplicaError::Transport(error)
    }
}
