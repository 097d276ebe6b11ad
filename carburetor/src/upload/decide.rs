//! What becomes of one change, by the clocks alone: no value is looked at and nothing is read or written here.

use super::plan::written;
use crate::clock::Clock;
use crate::outcome::Code;
use crate::register::Registers;
use crate::table::{ColumnDefinition, Conflict, TableDefinition};
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
    /// Nothing is written because all of it is there: the same change came before.
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
        (Held::Live { stamp, registers }, _) => write(definition, *stamp, registers, asked),
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

/// Whether somebody wrote the row after the replica saw it.
fn is_conflict(stamp: Option<DateTime<Utc>>, asked: &Asked<'_>) -> bool {
    match (stamp, asked.base) {
        (Some(stamp), Some(base)) => stamp > base,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn delete<'c>(
    definition: &TableDefinition,
    stamp: Option<DateTime<Utc>>,
    registers: &Registers,
    asked: &Asked<'c>,
) -> Decision<'c> {
    let conflict = is_conflict(stamp, asked);
    let revived = definition
        .deleted()
        .map(|column| registers.column(&column.name));
    // The row may have been inserted, or brought back, after the deletion was made.
    let existence = revived.map_or(registers.existence(), |revived| {
        revived.max(registers.existence())
    });
    match definition.conflict == Conflict::ServerWins && conflict || asked.clock <= existence {
        true => Decision::Superseded,
        false => Decision::Delete { conflict },
    }
}

fn write<'c>(
    definition: &TableDefinition,
    stamp: Option<DateTime<Utc>>,
    held: &Registers,
    asked: &Asked<'c>,
) -> Decision<'c> {
    let conflict = is_conflict(stamp, asked);
    let unit = unit_clock(definition, held);
    let (mut won, mut lost, mut merged) = (Vec::new(), Vec::new(), Vec::new());
    for column in &asked.columns {
        let strategy = strategy(definition, column);
        let register = match strategy {
            Conflict::LastWriteWins => unit,
            _ => held.column(column),
        };
        match strategy {
            // The same change came before.
            _ if register == asked.clock => {}
            Conflict::Fields | Conflict::LastWriteWins if register > asked.clock => {
                lost.push(*column)
            }
            Conflict::ServerWins if conflict => lost.push(*column),
            Conflict::Custom if conflict => merged.push(*column),
            _ => won.push(*column),
        }
    }
    let rises = asked.kind == Kind::Insert && asked.clock > held.existence();
    if won.is_empty() && merged.is_empty() && !rises {
        return match lost.is_empty() {
            true => Decision::Repeated,
            false => Decision::Superseded,
        };
    }
    let mut registers = held.clone();
    if rises {
        registers.revive(
            asked.clock,
            definition.downloaded().map(|column| column.name.clone()),
        );
    }
    for column in &won {
        // Where the clocks don't decide, they still never go back.
        let before = held.column(column);
        let clock = if before < asked.clock {
            asked.clock
        } else {
            before.successor()
        };
        registers.set(column, clock);
    }
    Decision::Write(Write {
        won,
        lost,
        merged,
        conflict,
        registers,
    })
}

/// Who wins in the column of this name.
fn strategy(definition: &TableDefinition, column: &str) -> Conflict {
    let found = definition.columns.iter().find(|known| known.name == column);
    found
        .and_then(|found| found.conflict)
        .unwrap_or(definition.conflict)
}

/// The columns that are resolved as one: those whose strategy is `last_write_wins`.
fn unit(definition: &TableDefinition) -> impl Iterator<Item = &ColumnDefinition> {
    written(definition)
        .filter(|column| column.conflict.unwrap_or(definition.conflict) == Conflict::LastWriteWins)
}

/// The last write of any column of the unit.
fn unit_clock(definition: &TableDefinition, held: &Registers) -> Clock {
    let clocks = unit(definition).map(|column| held.column(&column.name));
    clocks.max().unwrap_or(Clock::ZERO)
}

/// The columns of the unit that are not among `given`, if any of it is. An old replica may leave out those that have a default.
pub(crate) fn missing_unit_columns<'d>(
    definition: &'d TableDefinition,
    given: &[&str],
) -> Vec<&'d str> {
    if !unit(definition).any(|column| given.contains(&column.name.as_str())) {
        return Vec::new();
    }
    let missing =
        unit(definition).filter(|column| !column.default && !given.contains(&column.name.as_str()));
    missing.map(|column| column.name.as_str()).collect()
}
