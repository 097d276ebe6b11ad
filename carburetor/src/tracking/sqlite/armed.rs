//! Which tables still have the triggers that keep their stamps and removals.
//!
//! A table that is dropped takes its triggers along, so the usual way to change one (make another, copy the rows, drop, rename) leaves it without
//! them, and SQLite tells nobody.

use super::removal::REMOVAL_TRIGGERS;
use super::stamping::{LEAST_LEVELS, trigger_names};
use super::surroundings::object;
use crate::table::{TableDefinition, literal};

/// A query of one column `relation`: the names, in lower case, of those tables that have what every installation gives them.
pub(crate) fn armed<'d>(definitions: impl IntoIterator<Item = &'d TableDefinition>) -> String {
    let names: Vec<String> = definitions
        .into_iter()
        .flat_map(wanted)
        .map(|name| literal(&name))
        .collect();
    format!(
        "select lower(g.tbl_name) as relation from sqlite_schema g where g.type = 'trigger' and g.name in ({}) group by 1 having count(*) = {WANTED}",
        names.join(", ")
    )
}

/// How many triggers every tracked table has.
const WANTED: usize = REMOVAL_TRIGGERS.len() + 2 * LEAST_LEVELS;

/// Their names; further levels depend on triggers of the application.
fn wanted(table: &TableDefinition) -> impl Iterator<Item = String> + '_ {
    let stamping = trigger_names(|what| object(table, what)).take(2 * LEAST_LEVELS);
    let removal = REMOVAL_TRIGGERS.iter().map(|what| object(table, what));
    removal.chain(stamping.collect::<Vec<_>>())
}
