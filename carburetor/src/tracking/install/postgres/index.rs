//! The index of a table: what stands there, and what to do next.

use crate::connection::answer::Answer;
use crate::table::{TableDefinition, literal};
use crate::tracking::postgres::Index;

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Done,
    /// Somebody else is building it.
    Wait,
    /// Runs in a transaction, as other parts do.
    Part(String),
    /// Runs outside of a transaction.
    Alone(String),
}

impl Step {
    /// What follows from the answer to [`state`].
    ///
    /// A build that failed leaves an index that isn't valid, and `if not exists` would take that for one.
    pub(super) fn after(state: Answer, index: &Index, alone: bool) -> Step {
        let mut columns = state.columns();
        let mut next = || columns.next().flatten().unwrap_or_default();
        let (kind, found, name) = (next(), next(), next());
        let alone = alone && kind != "p";
        match (found.as_str(), alone) {
            ("valid", _) => Step::Done,
            ("missing", true) => Step::Alone(index.concurrently.clone()),
            ("missing", false) => Step::Part(index.plain.clone()),
            ("under way", true) => Step::Wait,
            (_, true) => Step::Alone(format!("drop index concurrently if exists {name}")),
            (_, false) => Step::Part(format!("drop index if exists {name};\n{}", index.plain)),
        }
    }
}

/// Asks for the kind of the table, and the state and name of its index. Whoever builds an index beside writers, holds the named lock until it is done.
pub(super) fn state(definition: &TableDefinition) -> String {
    format!(
        "select c.relkind::text, case
  when i.indisvalid then 'valid'
  when i.indexrelid is null then 'missing'
  when exists (
    select from pg_locks l where l.locktype = 'relation' and l.relation = c.oid and l.mode = 'ShareUpdateExclusiveLock' and l.granted
      and l.database = (select d.oid from pg_database d where d.datname = current_database())) then 'under way'
  else 'broken' end, i.indexrelid::regclass::text
from pg_class c
left join pg_index i on i.indrelid = c.oid and i.indexrelid = (
  select x.oid from pg_class x where x.relnamespace = c.relnamespace and x.relname = {index})
where c.oid = to_regclass({table})",
        index = literal(&definition.tracking_name("carburetor")),
        table = literal(&definition.sql_name()),
    )
}
