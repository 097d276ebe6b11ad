//! Which columns of a row that exists a change writes.

use super::strategy::{strategy, unit_clock};
use super::{Asked, Decision, Kind, Write};
use crate::register::Registers;
use crate::table::{Conflict, TableDefinition};

/// Decides on an update of a row that exists, or on an insert that finds one.
pub(super) fn decide<'c>(
    definition: &TableDefinition,
    conflict: bool,
    held: &Registers,
    asked: &Asked<'c>,
) -> Decision<'c> {
    let unit = unit_clock(definition, held);
    let last = held.last();
    let is_last = last < asked.clock;
    let (mut won, mut lost, mut merged) = (Vec::new(), Vec::new(), Vec::new());
    for column in &asked.columns {
        let strategy = strategy(definition, column);
        let register = match strategy {
            Conflict::LastWriteWins => unit,
            // Whichever of them it is, it is earlier.
            _ if is_last => last,
            _ => held.column(column),
        };
        match strategy {
            // The same change came before.
            _ if register == asked.clock => {}
            Conflict::Fields | Conflict::LastWriteWins if register > asked.clock => {
                lost.push(*column);
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
        let columns = definition.registered().map(|column| column.name.as_str());
        registers.revive(asked.clock, columns);
    }
    let (rising, others): (Vec<_>, Vec<_>) = won
        .iter()
        .partition(|column| is_last || held.column(column) < asked.clock);
    registers.set(&rising, asked.clock);
    // Where the clocks don't decide, they still never go back.
    for column in others {
        registers.set(&[column], held.column(column).successor());
    }
    Decision::Write(Write {
        won,
        lost,
        merged,
        conflict,
        registers,
    })
}
