//! A change that is decided.

use super::admit::Admitted;
use crate::outcome::{Code, Rejection, Verdict};
use crate::table::TableDefinition;
use crate::wire::WireBackend;

/// A change and what becomes of it.
pub(super) struct Judged<'a, 'c, DB: WireBackend> {
    pub(super) change: &'a Admitted<'c, DB>,
    pub(super) verdict: Verdict,
}

/// Why a row can't be changed, or not by this caller.
pub(super) fn missing(definition: &TableDefinition, code: Code) -> Rejection {
    let table = &definition.wire_name;
    let message = match code {
        Code::Forbidden => format!("the row of {table} is outside of the caller's scope"),
        Code::Expired => format!(
            "whether the row of {table} was deleted since is known no longer: keep it, and insert it under a new id if it shall live"
        ),
        _ => format!("{table} has no such row"),
    };
    Rejection {
        code,
        message,
        field: None,
    }
}
