//! Who wins in a column, and the columns that win or lose as one.

use crate::clock::Clock;
use crate::register::Registers;
use crate::table::{ColumnDefinition, Conflict, TableDefinition};
use crate::upload::plan::written;

/// Who wins in the column of this name.
pub(super) fn strategy(definition: &TableDefinition, column: &str) -> Conflict {
    let found = definition.columns.iter().find(|known| known.name == column);
    found.map_or(definition.conflict, |found| of(definition, found))
}

/// The last write of any column of the unit.
pub(super) fn unit_clock(definition: &TableDefinition, registers: &Registers) -> Clock {
    let clocks = unit(definition).map(|column| registers.column(&column.name));
    clocks.max().unwrap_or(Clock::ZERO)
}

/// The columns of the unit that are not among `given`, if any of it is. An old replica may leave out those that have a default.
pub(crate) fn missing_unit_columns<'d>(
    definition: &'d TableDefinition,
    given: &[&str],
) -> Vec<&'d str> {
    let is_given = |column: &ColumnDefinition| given.contains(&column.name.as_str());
    if !unit(definition).any(is_given) {
        return Vec::new();
    }
    unit(definition)
        .filter(|column| !column.default && !is_given(column))
        .map(|column| column.name.as_str())
        .collect()
}

/// The columns that are resolved as one: those that uploads write and whose strategy is `last_write_wins`.
pub(crate) fn unit(definition: &TableDefinition) -> impl Iterator<Item = &ColumnDefinition> {
    written(definition).filter(|column| of(definition, column) == Conflict::LastWriteWins)
}

fn of(definition: &TableDefinition, column: &ColumnDefinition) -> Conflict {
    match column.conflict.unwrap_or(definition.conflict) {
        // An update can't give it. Were it one with the others, then of two inserts that meet the first to arrive would keep it, if an edit of
        // the others came between them.
        Conflict::LastWriteWins if column.immutable => Conflict::Fields,
        conflict => conflict,
    }
}
