//! What SQLite says when it can't go on, whatever the statement is. It has no kinds for that, only messages.

use diesel::result::{DatabaseErrorKind, Error};

/// Others hold the file, or the device has no room, no memory or no file handles left: it passes.
const PASSING: &[&str] = &[
    "database or disk is full",
    "disk I/O error",
    "database is locked",
    "database table is locked",
    "database schema has changed",
    "locking protocol",
    "out of memory",
    "unable to open database file",
    "interrupted",
    "abort due to ROLLBACK",
    "query aborted",
];

/// The file itself is at fault.
const LASTING: &[&str] = &[
    "database disk image is malformed",
    "attempt to write a readonly database",
    "file is not a database",
];

fn begins(error: &Error, messages: &[&str]) -> bool {
    let Error::DatabaseError(DatabaseErrorKind::Unknown, about) = error else {
        return false;
    };
    messages
        .iter()
        .any(|message| about.message().starts_with(message))
}

/// Whether the same may succeed later.
#[cfg(feature = "replica")]
pub(crate) fn is_passing(error: &Error) -> bool {
    match error {
        Error::RollbackErrorOnCommit { commit_error, .. } => is_passing(commit_error),
        error => begins(error, PASSING),
    }
}

/// Whether the database can't go on, so that the error says nothing of what was written.
pub(crate) fn is_shortage(error: &Error) -> bool {
    begins(error, PASSING) || begins(error, LASTING)
}
