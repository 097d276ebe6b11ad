//! The cutoff on SQLite: one past the latest stamp that was given.
//!
//! Writers are serialized, and each stamp is greater than all before it. So what a later transaction stamps lies at the cutoff or
//! after it, and what an earlier one stamped is visible.

use crate::statement::Statement;
use crate::table::{TableDefinition, literal};
use diesel::sqlite::Sqlite;

/// The statement that reads the cutoffs, to be run before the rows. The clock stands at the cutoff too: a replica that comes back before the next
/// write is not ahead of it.
pub(crate) fn statement(definitions: &[&'static TableDefinition]) -> Statement<'static, Sqlite> {
    let rows: Vec<String> = definitions
        .iter()
        .enumerate()
        .map(|(place, table)| format!("select {place} as place, {} as key", literal(&table.key())))
        .collect();
    Statement::of(format!(
        "\
select t.place, c.now + 1, c.now + 1, s.generation, null, case when coalesce(s.hash, '') = '' then 'not tracked' end, null
from ({}) t cross join carburetor_clock c left join carburetor_synced_table s on s.name = t.key",
        rows.join(" union all ")
    ))
}
