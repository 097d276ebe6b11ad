//! What PostgreSQL says when it ended a statement for what is not in it: it took or waited too long, others were in its way, the server goes down.
//!
//! Diesel doesn't tell an error's state, and its message is in the server's language. A block of PL/pgSQL sees the state: where it matters, one runs
//! the statement, and has words of the library's own for those states.

use diesel::result::{DatabaseErrorKind, Error};

/// What the words begin with in which a block tells a state; the state follows.
pub(crate) const SAID: &str = "ended by the database, SQLSTATE ";

/// Whether the text expression `state` is such a state, in SQL: a connection or a transaction is lost or can't write, another transaction went before,
/// something ran short, somebody ended the statement, a file can't be read.
#[cfg(feature = "postgres-backend")]
pub(crate) fn is_ended_sql(state: &str) -> String {
    format!(
        "(pg_catalog.\"left\"({state}, 2) in ('08', '25', '40', '53', '57', '58') or {state} in ('55006', '55P03', 'XX001', 'XX002'))"
    )
}

/// The state that a block told.
fn state(error: &Error) -> Option<&str> {
    let Error::DatabaseError(DatabaseErrorKind::Unknown, about) = error else {
        return None;
    };
    about.message().strip_prefix(SAID)?.get(..5)
}

/// Whether PostgreSQL ended the statement, so that the error says nothing of its rows. Without a block, that is known of a server that speaks English.
pub(crate) fn is_ended(error: &Error) -> bool {
    let is_canceled = matches!(error, Error::DatabaseError(DatabaseErrorKind::Unknown, about)
        if about.message().starts_with("canceling statement due to "));
    is_canceled || is_deadlock(error) || state(error).is_some()
}

/// Whether `error` is a deadlock that the database ended at the cost of this transaction: the names of the locks are in no language.
pub(crate) fn is_deadlock(error: &Error) -> bool {
    let Error::DatabaseError(DatabaseErrorKind::Unknown, about) = error else {
        return false;
    };
    let details = about.details().unwrap_or_default();
    about.message() == "deadlock detected"
        || details.contains("ShareLock on transaction")
        || state(error) == Some("40P01")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(message: &str) -> Error {
        Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()))
    }

    #[test]
    fn a_state_is_known_by_our_own_words() {
        let told = |state: &str| error(&format!("{SAID}{state}: storniere Anfrage"));
        for state in ["57014", "55P03", "53300"] {
            assert!(is_ended(&told(state)));
            assert!(!is_deadlock(&told(state)));
        }
        assert!(is_deadlock(&told("40P01")));
        assert!(!is_ended(&error("storniere Anfrage")));
        assert!(!is_ended(&error(SAID)));
    }
}
