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
        Code::Forbidden => format!(
            "{table}: the caller's scope shows no such row, which is another's or isn't there: drop the change"
        ),
        Code::Expired => format!(
            "whether the row of {table} was deleted since is known no longer: keep it, and insert it under a new id if it shall live"
        ),
        _ => format!("{table} has no such row: insert it if it shall live, or drop the change"),
    };
    Rejection::new(code, message)
}

/// Why a row is not inserted under an id that one has which the caller doesn't see.
pub(super) fn taken(definition: &TableDefinition) -> Rejection {
    let message = format!(
        "{}: a row that the caller's scope doesn't show has this id: insert it under another one",
        definition.wire_name
    );
    Rejection::new(Code::Forbidden, message)
}

/// Why a row is not written that the caller would not see.
pub(super) fn outside(definition: &TableDefinition) -> Rejection {
    let message = format!(
        "{}: the caller's scope doesn't show the row as it would be written: write what belongs to the scope, or let somebody write it who sees it",
        definition.wire_name
    );
    Rejection::new(Code::Forbidden, message)
}

/// Why a row is not deleted whose deletion would take rows along that the caller doesn't see.
pub(super) fn along(definition: &TableDefinition) -> Rejection {
    let message = format!(
        "{}: the deletion would take rows along that the caller's scope doesn't show: let somebody delete it who sees them",
        definition.wire_name
    );
    Rejection::new(Code::Forbidden, message)
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
