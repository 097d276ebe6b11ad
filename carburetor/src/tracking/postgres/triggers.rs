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
    /// Where registers are kept.
    pub ahead: Option<Function>,
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
        ahead: definition.has_registers().then(|| Function {
            name: names.ahead,
            body: removal::ahead(),
            definer: true,
        }),
    }
}

impl Functions {
    /// In the order in which the registry's functions take them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Function> {
        [&self.stamp, &self.removal, &self.truncate]
            .into_iter()
            .chain(&self.ahead)
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
    let Functions {
        stamp,
        removal,
        ahead,
        ..
    } = functions(definition);
    let moved = kept(definition)
        .map(|column| format!("old.{0} is distinct from new.{0}", column.quoted()))
        .collect::<Vec<_>>()
        .join(" or ");
    let ahead = ahead.map(|ahead| {
        let rows = format!("when (pg_catalog.jsonb_exists(new.{COLUMN}, '+')) ");
        ("ahead", "after insert or update", rows, ahead.name)
    });
    let triggers = [
        (
            "stamp",
            "before insert or update",
            String::new(),
            stamp.name,
        ),
        (
            "removal_delete",
            "after delete",
            String::new(),
            removal.name.clone(),
        ),
        (
            "removal_update",
            "after update",
            format!("when ({moved}) "),
            removal.name,
        ),
    ];
    let (mut created, mut enabled) = (String::new(), String::new());
    for (name, when, rows, function) in triggers.into_iter().chain(ahead) {
        created += &format!(
            "create or replace trigger \"~carburetor_{name}\" {when} on {table}\n  \
               for each row {rows}execute function {function}();\n"
        );
        enabled += &format!("alter table {table} enable always trigger \"~carburetor_{name}\";\n");
    }
    format!(
        "{created}-- Replication and restores that switch triggers off write rows too.\n{enabled}"
    )
}
