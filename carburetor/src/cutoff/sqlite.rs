//! The cutoff on SQLite: one past the latest stamp that was given.
//!
//! Writers are serialized, and each stamp is greater than all before it. So what a later transaction stamps lies at the cutoff or
//! after it, and what an earlier one stamped is visible. That holds while the triggers are there, so the same statement looks for them.

use crate::origin::Origin;
use crate::statement::{Integer, Statement};
use crate::table::{TableDefinition, literal};
use crate::tracking::sqlite::armed;
use diesel::sqlite::Sqlite;

/// The statement that reads the cutoffs, to be run before the rows. The clock stands at the cutoff too: a replica that comes back before the next
/// write is not ahead of it.
///
/// The clock at which something was read, which `known` tells, lies neither ahead of the clock nor in a pause of it, unless the file has gone back since.
pub(crate) fn statement(
    definitions: &[&'static TableDefinition],
    known: &Origin,
) -> Statement<'static, Sqlite> {
    let rows: Vec<String> = definitions
        .iter()
        .enumerate()
        .map(|(place, table)| {
            format!(
                "select {place} as place, {} as key, lower({}) as relation, null as origin",
                literal(&table.key()),
                literal(&table.table)
            )
        })
        .collect();
    // In the file of a version before, whose clock has no origin, the column is the empty one of the tables that are asked for.
    let mut statement = Statement::of(
        "\
select t.place, coalesce(c.now + 1, 0), coalesce(c.now + 1, 0), s.generation, nullif((select origin from carburetor_clock), '') || '-@' || c.now,
  case when c.now is null then 'no clock' when coalesce(s.hash, '') = '' then 'not tracked' when armed.relation is null then 'no trigger' end, null, s.horizon, ",
    );
    match known.clock {
        // Pauses don't overlap, since the clock goes on only: the last one that began before says it, whatever number there is.
        Some(clock) => statement
            .sql("case when c.now < ")
            .bind(Integer(clock))
            .sql(" or (select p.ended from carburetor_pause p where p.began < ")
            .bind(Integer(clock))
            .sql(" order by p.began desc limit 1) > ")
            .bind(Integer(clock))
            .sql(" then 1 end"),
        None => statement.sql("null"),
    };
    statement.sql(format!(
        "
from ({rows}) t left join carburetor_clock c left join carburetor_synced_table s on s.name = t.key
left join ({armed}) armed on armed.relation = t.relation",
        rows = rows.join(" union all "),
        armed = armed(definitions.iter().copied()),
    ));
    statement
}
