//! The functions and triggers of one table.

use super::install::{Names, dollar, list};
use super::publish;
use crate::table::{ColumnDefinition, Storage, TableDefinition, literal};

/// The functions that a table's triggers call, with their bodies.
pub(super) struct Functions {
    pub stamp: Function,
    pub removal: Function,
    pub truncate: Function,
}

/// One trigger function.
pub(super) struct Function {
    pub name: String,
    pub body: String,
    /// Runs with the rights of its owner, because it writes our tables.
    pub definer: bool,
}

/// The functions for `definition`.
pub(super) fn functions(definition: &TableDefinition) -> Functions {
    let names = Names::of(definition);
    Functions {
        stamp: Function {
            name: names.stamp,
            body: stamp(definition),
            definer: false,
        },
        removal: Function {
            name: names.removal_function,
            body: removal(definition),
            definer: true,
        },
        truncate: Function {
            name: names.truncate,
            body: truncate(definition),
            definer: true,
        },
    }
}

impl Function {
    /// Creates or replaces the function. Nobody may execute it: a trigger needs no right to, and a table with a trigger of somebody's own
    /// could forge removals.
    pub(super) fn create(&self) -> String {
        let rights = match self.definer {
            true => " security definer set search_path = pg_catalog, pg_temp",
            false => "",
        };
        format!(
            "create or replace function {name}() returns trigger language plpgsql{rights} as {body};\n\
             revoke execute on function {name}() from public;\n",
            name = self.name,
            body = dollar(&self.body),
        )
    }
}

/// The triggers, in the order in which they are created.
pub(super) fn triggers(definition: &TableDefinition) -> String {
    let table = definition.sql_name();
    let Functions { stamp, removal, .. } = functions(definition);
    let moved = kept(definition)
        .map(|column| format!("old.{0} is distinct from new.{0}", column.quoted()))
        .collect::<Vec<_>>()
        .join(" or ");
    format!(
        "create or replace trigger \"~carburetor_stamp\" before insert or update on {table}\n  \
           for each row execute function {stamp}();\n\
         create or replace trigger \"~carburetor_removal_delete\" after delete on {table}\n  \
           for each row execute function {removal}();\n\
         create or replace trigger \"~carburetor_removal_update\" after update on {table}\n  \
           for each row when ({moved}) execute function {removal}();\n\
         -- Replication and restores that switch triggers off write rows too.\n\
         alter table {table} enable always trigger \"~carburetor_stamp\";\n\
         alter table {table} enable always trigger \"~carburetor_removal_delete\";\n\
         alter table {table} enable always trigger \"~carburetor_removal_update\";\n",
        stamp = stamp.name,
        removal = removal.name,
    )
}

/// The columns of a removal: the id, then what scopes and filters look at.
pub(super) fn kept(definition: &TableDefinition) -> impl Iterator<Item = &ColumnDefinition> {
    definition
        .ids()
        .chain(definition.visible_by().filter(|column| !column.id))
}

/// Not SECURITY DEFINER: it needs no rights but on pg_catalog, and a switch of role and search_path costs 0.6 microseconds a row. Names
/// and operators are qualified, so a writer's search_path can't change what it does.
///
/// One expression, because the server prepares each one again in every transaction; four statements cost 0.2 microseconds more
/// a row. CASE keeps the order, and on insert `old` is null.
fn stamp(definition: &TableDefinition) -> String {
    let stamp = definition
        .stamp()
        .map(ColumnDefinition::quoted)
        .unwrap_or_default();
    let plain = definition
        .stamp()
        .is_some_and(|stamp| stamp.storage == Storage::Timestamp);
    let instant = |expression: &str| match plain {
        true => format!("({expression}) at time zone 'UTC'"),
        false => expression.to_owned(),
    };
    format!(
        "
begin
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
  end;
  return new;
end
",
        now = instant("greatest(pg_catalog.clock_timestamp(), pg_catalog.now())"),
        started = instant("pg_catalog.now()"),
        past = instant("timestamp with time zone '1970-01-01 00:00:00Z'"),
        lock = publish::lock(),
    )
}

/// The insert may wait for another transaction that removed the same id. The removal's instant is then older than its visibility, and still
/// not below the lock's key, which stays published until this transaction ends. Two writers wait for each other only
/// in the order in which they hold the rows themselves: the same key means the same id, which the table's unique index gives to one of them.
fn removal(definition: &TableDefinition) -> String {
    let columns = list(kept(definition).map(ColumnDefinition::quoted));
    let values = list(kept(definition).map(|column| format!("old.{}", column.quoted())));
    let names = Names::of(definition);
    format!(
        "
#variable_conflict use_column
declare
  ignored text;
begin
  ignored := {lock};
  insert into {removal} as r ({columns}, carburetor_removed_at)
  values ({values}, greatest(clock_timestamp(), now()))
  on conflict on constraint {constraint} do update
    set carburetor_removed_at = greatest(excluded.carburetor_removed_at, r.carburetor_removed_at + interval '1 microsecond');
  return null;
end
",
        lock = publish::lock(),
        removal = names.removal_table,
        constraint = names.removal_constraint,
    )
}

/// The lock holds the cutoff of concurrent downloads below the new horizon: they may find the table empty with the registry's old row.
fn truncate(definition: &TableDefinition) -> String {
    format!(
        "
declare
  ignored text;
begin
  ignored := {lock};
  update carburetor.synced_table s set generation = s.generation + 1,
      horizon = greatest(s.horizon, clock_timestamp() + interval '1 microsecond', now() + interval '1 microsecond')
    where s.name = {key};
  return null;
end
",
        lock = publish::lock(),
        key = literal(&definition.key()),
    )
}
