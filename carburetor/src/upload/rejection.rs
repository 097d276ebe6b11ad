//! What the database's error says of one change.

use crate::connection::shortage::is_shortage;
use crate::outcome::{Code, Rejection};
use diesel::result::DatabaseErrorKind as Kind;
use diesel::result::Error;

/// How PostgreSQL begins to say that a statement took too long, or waited too long for a lock.
const CANCELED: &str = "canceling statement due to ";

/// Whether `error` is a deadlock that the database ended at the cost of this transaction. Diesel doesn't tell its code, and the message is in the
/// server's language; the names of the locks are not.
pub(super) fn is_deadlock(error: &Error) -> bool {
    let Error::DatabaseError(Kind::Unknown, information) = error else {
        return false;
    };
    let details = information.details().unwrap_or_default();
    information.message() == "deadlock detected" || details.contains("ShareLock on transaction")
}

/// Whether `error` says something of the rows that were written, so that fewer of them may pass.
pub(super) fn is_of_rows(error: &Error) -> bool {
    match error {
        Error::DatabaseError(kind, information) => match kind {
            Kind::UniqueViolation
            | Kind::ForeignKeyViolation
            | Kind::NotNullViolation
            | Kind::CheckViolation
            | Kind::RestrictViolation
            | Kind::ExclusionViolation => true,
            Kind::Unknown => {
                let is_canceled = information.message().starts_with(CANCELED);
                !is_canceled && !is_shortage(error) && !is_deadlock(error)
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether `error` is a constraint that other changes of the same upload may satisfy.
pub(super) fn is_constraint(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(kind, information)
        if *kind != Kind::Unknown || information.constraint_name().is_some())
}

/// Whether `error` is a reference to a row that isn't there, or from one that is.
pub(super) fn is_reference(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(Kind::ForeignKeyViolation, _))
}

/// The rejection of the one change on table `table` that `error` is about.
pub(super) fn rejection(table: &str, error: &Error) -> Rejection {
    let Error::DatabaseError(kind, information) = error else {
        return rejected(Code::Invalid, format!("{table}: {error}"), None);
    };
    let message = information.message();
    // SQLite has the name in its message only: "UNIQUE constraint failed: users.email".
    let name = information.constraint_name().or_else(|| {
        message
            .split_once(" constraint failed: ")
            .map(|(_, name)| name)
    });
    let column = information.column_name();
    let what = match kind {
        Kind::UniqueViolation => "another row has these values",
        Kind::ForeignKeyViolation => {
            "a row that is referred to is missing, or one that refers to it is there"
        }
        Kind::NotNullViolation => "a value is missing",
        Kind::CheckViolation => "the values are not allowed",
        _ if name.is_some() => "the values are not allowed",
        _ => return rejected(Code::Invalid, format!("{table}: {message}"), column),
    };
    let name = name.or(column);
    let named = name.map(|name| format!(" ({name})")).unwrap_or_default();
    rejected(Code::Constraint, format!("{table}: {what}{named}"), name)
}

fn rejected(code: Code, message: String, field: Option<&str>) -> Rejection {
    Rejection {
        code,
        message,
        field: field.map(str::to_owned),
    }
}
