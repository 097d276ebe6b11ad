//! A change that is decided.

use super::admit::Admitted;
use crate::outcome::{Code, Rejection, Verdict};
use crate::table::TableDefinition;
use crate::wire::WireBackend;
use serde_json::{Map, Value};

/// A change and what becomes of it.
pub(super) struct Judged<'a, 'c, DB: WireBackend> {
    pub(super) change: &'a Admitted<'c, DB>,
    pub(super) verdict: Verdict,
    /// See [`Outcome::met`](crate::outcome::Outcome::met).
    pub(super) met: Option<Map<String, Value>>,
    /// See [`Outcome::lost`](crate::outcome::Outcome::lost).
    pub(super) lost: bool,
}

/// Why a row can't be changed, or not by this caller.
pub(super) fn missing(definition: &TableDefinition, code: Code) -> Rejection {
    let table = &definition.wire_name;
    let message = match code {
        Code::Forbidden => format!("{table} has no such row in the caller's scope"),
        Code::Expired => format!(
            "whether the row of {table} was deleted since is known no longer: keep it, and insert it under a new id if it shall live"
        ),
        _ => format!("{table} has no such row"),
    };
    Rejection::new(code, message)
}

/// Why a row is not written under an id that the database takes for another text.
pub(super) fn other_id(definition: &TableDefinition, id: &str) -> Rejection {
    kept(
        definition,
        &format!("the id is stored as {id:?}: send it in that form"),
    )
}

/// Why a row is not as it was written, though nothing failed.
pub(super) fn kept(definition: &TableDefinition, why: &str) -> Rejection {
    Rejection::new(Code::Invalid, format!("{}: {why}", definition.wire_name))
}
