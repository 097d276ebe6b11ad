//! The functions and triggers of one table.

use super::install::{Names, dollar};
use super::removal::{self, kept};
use super::stamping;
use crate::register::COLUMN;
use crate::table::TableDefinition;

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
            body: stamping::stamp(definition),
            definer: false,
        },
        removal: Function {
            name: names.removal_function,
            body: removal::removal(definition),
            definer: true,
        },
        truncate: Function {
            name: names.truncate,
            body: removal::truncate(definition),
            definer: true,
        },
    }
}

impl Functions {
    /// In the order in which the registry's functions take them.
    pub(super) fn all(&self) -> [&Function; 3] {
        [&self.stamp, &self.removal, &self.truncate]
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
///
/// The removal's looks after rows that are ahead of the clock as well: one more trigger would cost each update some microseconds.
pub(super) fn triggers(definition: &TableDefinition) -> String {
    let table = definition.sql_name();
    let Functions { stamp, removal, .. } = functions(definition);
    let ahead = format!("pg_catalog.jsonb_exists(new.{COLUMN}, '+')");
    let moved = kept(definition)
        .map(|column| format!("old.{0} is distinct from new.{0}", column.quoted()))
        .chain(definition.has_registers().then_some(ahead))
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
