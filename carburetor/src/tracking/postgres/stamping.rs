//! The stamping trigger, which every writer's rows meet.

use super::{publish, registers};
use crate::table::{Storage, TableDefinition};

/// Not SECURITY DEFINER: it needs no rights but on pg_catalog, and a switch of role and search_path costs 0.6 microseconds a row. Names
/// and operators are qualified, so a writer's search_path can't change what it does.
///
/// One expression, because the server prepares each one again in every transaction; four statements cost 0.2 microseconds more
/// a row. CASE keeps the order, and on insert `old` is null.
pub(super) fn stamp(definition: &TableDefinition) -> String {
    let [variables, moved] = registers::moved(definition);
    let stamp = definition.stamp_name();
    let plain = definition
        .stamp()
        .is_some_and(|stamp| stamp.storage == Storage::Timestamp);
    let instant = |expression: &str| match plain {
        true => format!("({expression}) at time zone 'UTC'"),
        false => expression.to_owned(),
    };
    format!(
        "
{variables}begin
  new.{stamp} := case
    -- An untracked write has no stamp of its own: an update keeps the row's, an insert what it was given, unless that is now().
    when pg_catalog.current_setting('carburetor.untracked', true) operator(pg_catalog.=) 'on' then case
      when tg_op operator(pg_catalog.=) 'UPDATE' then old.{stamp}
      when new.{stamp} operator(pg_catalog.=) {started} then {past}
      else new.{stamp}
    end
    -- The lock comes before the clock: a reader who doesn't see the lock has a cutoff below the stamp.
    when {lock} is not null then
      greatest({now}, old.{stamp} operator(pg_catalog.+) interval '1 microsecond')
  end;{moved}
  return new;
end
",
        now = instant("greatest(pg_catalog.clock_timestamp(), pg_catalog.now())"),
        started = instant("pg_catalog.now()"),
        past = instant("timestamp with time zone '1970-01-01 00:00:00Z'"),
        lock = publish::lock(),
    )
}
