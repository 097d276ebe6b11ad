//! What becomes of one change, by the clocks alone: no value is looked at and nothing is read or written here.

#[cfg(test)]
mod convergence;
#[cfg(test)]
mod history;
#[cfg(test)]
mod model;
#[cfg(test)]
mod rules;
mod strategy;
mod write;

pub(crate) use strategy::missing_unit_columns;
#[cfg(feature = "replica")]
pub(crate) use strategy::unit;

use crate::clock::Clock;
use crate::outcome::Code;
use crate::register::Registers;
use crate::table::{Conflict, TableDefinition};
use chrono::{DateTime, Utc};

/// What the server knows of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Held {
    /// It exists. `stamp`: none where it has none, or where it came into being within this very upload.
    Live {
        stamp: Option<DateTime<Utc>>,
        registers: Registers,
    },
    /// It was deleted.
    Gone(Clock),
    /// Nothing is known of it.
    Unknown,
}

impl Held {
    /// The row's stamp, if it has one.
    pub(crate) fn stamp(&self) -> Option<DateTime<Utc>> {
        match self {
            Held::Live { stamp, .. } => *stamp,
            Held::Gone(_) | Held::Unknown => None,
        }
    }
}

/// One change as far as it decides.
#[derive(Debug, Clone)]
pub(crate) struct Asked<'c> {
    pub(crate) clock: Clock,
    pub(crate) base: Option<DateTime<Utc>>,
    pub(crate) kind: Kind,
    /// The columns that the change gives and that uploads may write, the id's left out.
    pub(crate) columns: Vec<&'c str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Insert,
    Update,
    Delete,
}

/// What becomes of a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decision<'c> {
    /// The row is inserted with every column that the change gives.
    Insert {
        registers: Registers,
    },
    /// Columns of the row are written.
    Write(Write<'c>),
    /// The row is deleted, and the deletion has the change's clock.
    Delete {
        /// Somebody wrote the row after the replica saw it.
        conflict: bool,
    },
    /// The row is gone already; its deletion takes the change's clock, if that is greater.
    DeleteAgain,
    /// Nothing is written because all of it is there: the same change came before, or gives no column.
    Repeated,
    /// Nothing is written because a later write, a deletion or the server's row wins.
    Superseded,
    Rejected(Code),
}

/// Which columns of an existing row a change writes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Write<'c> {
    /// These take the change's values.
    pub(crate) won: Vec<&'c str>,
    /// These keep the server's.
    pub(crate) lost: Vec<&'c str>,
    /// These take what the model's own merge makes.
    pub(crate) merged: Vec<&'c str>,
    /// Somebody wrote the row after the replica saw it.
    pub(crate) conflict: bool,
    /// The registers afterwards; those of `merged` are set when the merge has run.
    pub(crate) registers: Registers,
}

/// Decides on one change of a row of `definition`. Absent rows whose clock is below `expired` can't be judged any more.
///
/// Of several changes in one upload, each sees the registers that the one before left, and the stamp that the row had before the upload.
pub(crate) fn decide<'c>(
    definition: &TableDefinition,
    held: &Held,
    asked: &Asked<'c>,
    expired: Clock,
) -> Decision<'c> {
    match (held, asked.kind) {
        (Held::Live { stamp, registers }, Kind::Delete) => {
            delete(definition, *stamp, registers, asked)
        }
        (Held::Live { stamp, registers }, _) => {
            let conflict = is_conflict(*stamp, asked);
            write::decide(definition, conflict, registers, asked)
        }
        (_, Kind::Delete) => Decision::DeleteAgain,
        (Held::Gone(deleted), Kind::Insert) if asked.clock > *deleted => insert(asked),
        // A deletion beats every edit, also a later one.
        (Held::Gone(_), _) => Decision::Superseded,
        (Held::Unknown, _) if asked.clock < expired => Decision::Rejected(Code::Expired),
        (Held::Unknown, Kind::Insert) => insert(asked),
        (Held::Unknown, Kind::Update) => Decision::Rejected(Code::NotFound),
    }
}

fn insert<'c>(asked: &Asked<'c>) -> Decision<'c> {
    Decision::Insert {
        registers: Registers::at(asked.clock),
    }
}

fn delete<'c>(
    definition: &TableDefinition,
    stamp: Option<DateTime<Utc>>,
    registers: &Registers,
    asked: &Asked<'c>,
) -> Decision<'c> {
    let conflict = is_conflict(stamp, asked);
    let is_kept = definition.conflict == Conflict::ServerWins && conflict;
    match is_kept || asked.clock <= existence(definition, registers) {
        true => Decision::Superseded,
        false => Decision::Delete { conflict },
    }
}

/// Since when a row is there: since it was inserted, or brought back.
pub(super) fn existence(definition: &TableDefinition, registers: &Registers) -> Clock {
    let brought_back = definition
        .deleted()
        .map_or(Clock::ZERO, |column| registers.column(&column.name));
    registers.existence().max(brought_back)
}

/// Whether somebody wrote the row after the replica saw it.
fn is_conflict(stamp: Option<DateTime<Utc>>, asked: &Asked<'_>) -> bool {
    match (stamp, asked.base) {
        (Some(stamp), Some(base)) => stamp > base,
        (Some(_), None) => true,
        (None, _) => false,
    }
}
