//! What the texts share: the names that a table's objects have in the database, and the table part of an installation.

use super::triggers::{self, Function};
use crate::hex::hex;
use crate::register::COLUMN;
use crate::table::{ColumnDefinition, Storage, TableDefinition, literal, quoted};
use sha2::{Digest, Sha256};

/// The quoted names of a table's objects.
pub(super) struct Names {
    pub stamp: String,
    pub removal_function: String,
    pub truncate: String,
    pub removal_table: String,
    pub removal_constraint: String,
    pub register_table: String,
    pub register_constraint: String,
    pub conflict_table: String,
    /// Unquoted.
    pub index: String,
}

impl Names {
    pub(super) fn of(definition: &TableDefinition) -> Names {
        let ours = |kind: &str| format!("carburetor.{}", quoted(&definition.tracking_name(kind)));
        Names {
            stamp: ours("stamp"),
            removal_function: ours("removal"),
            truncate: ours("truncate"),
            removal_table: ours("removal"),
            removal_constraint: quoted(&format!("{}_key", definition.removal_name())),
            register_table: ours("register"),
            register_constraint: quoted(&format!("{}_key", definition.tracking_name("register"))),
            conflict_table: ours("conflict"),
            index: definition.tracking_name("carburetor"),
        }
    }
}

/// One table's part of an installation, for one transaction.
pub(super) fn install(definition: &TableDefinition) -> String {
    let table = definition.sql_name();
    let names = Names::of(definition);
    let functions = triggers::functions(definition);
    let stamp = definition.stamp();
    let optional = |value: Option<&str>| value.map_or("null".to_owned(), literal);
    let beside = |kind: &str| match definition.has_registers() {
        true => literal(&definition.tracking_name(kind)),
        false => "null".to_owned(),
    };
    format!(
        "-- {comment}
-- Under traffic a lock may not be free in time; run the part again then.
set local lock_timeout = '3s';
select carburetor.prepare_table({key}, {name}, {stamp}, {kind}, {default},
  {ids}, {visible_by}, {columns}, {removal}, {register}, {conflict}, {index});
{created}{triggers}{forgotten}\
select carburetor.register_table({key}, {name},
  array[{functions}]::regproc[],
  {definition}, {hash});
set local lock_timeout to default;
",
        comment = definition.key().replace(['\n', '\r'], " "),
        key = literal(&definition.key()),
        name = literal(&table),
        stamp = optional(stamp.map(|stamp| stamp.name.as_str())),
        kind = optional(stamp.and_then(kind)),
        default = optional(stamp.and_then(default)),
        ids = array(definition.ids().map(|column| &column.name)),
        visible_by = array(definition.visible_by().map(|column| &column.name)),
        columns = array(stored(definition).map(|column| &column.name)),
        removal = literal(&definition.removal_name()),
        index = literal(&names.index),
        register = beside("register"),
        conflict = beside("conflict"),
        created = functions.all().map(Function::create).concat(),
        forgotten = match definition.has_registers() {
            true => String::new(),
            false => forget_registers(definition),
        },
        triggers = triggers::triggers(definition),
        functions = list(functions.all().map(|function| literal(&function.name))),
        definition = literal(&json(definition)),
        hash = literal(&hash(definition)),
    )
}

/// What takes a table's registers away; nothing happens where there are none.
pub(super) fn forget_registers(definition: &TableDefinition) -> String {
    let names = Names::of(definition);
    format!(
        "drop table if exists {register}, {conflict};
alter table if exists {table} drop column if exists {COLUMN};
",
        register = names.register_table,
        conflict = names.conflict_table,
        table = definition.sql_name(),
    )
}

/// The columns that the table must have.
pub(super) fn stored(definition: &TableDefinition) -> impl Iterator<Item = &ColumnDefinition> {
    definition
        .columns
        .iter()
        .filter(|column| !column.skip && !column.local)
}

/// The stamp's type in the catalog's words, if it is one that the server can stamp.
pub(super) fn kind(stamp: &ColumnDefinition) -> Option<&'static str> {
    match stamp.storage {
        Storage::Timestamptz => Some("timestamp with time zone"),
        Storage::Timestamp => Some("timestamp without time zone"),
        _ => None,
    }
}

/// How the stamp's column is declared where the table lacks it.
fn default(stamp: &ColumnDefinition) -> Option<&'static str> {
    match (stamp.storage, stamp.nullable) {
        (Storage::Timestamptz, false) => Some("timestamptz not null default now()"),
        (Storage::Timestamptz, true) => Some("timestamptz"),
        (Storage::Timestamp, false) => {
            Some("timestamp not null default (now() at time zone 'UTC')")
        }
        (Storage::Timestamp, true) => Some("timestamp"),
        _ => None,
    }
}

/// A fingerprint of what the installed objects depend on; columns without a register may come and go.
pub(super) fn hash(definition: &TableDefinition) -> String {
    let mut visible_by: Vec<_> = definition.visible_by().map(|column| &column.name).collect();
    visible_by.sort();
    let stamp = definition.stamp().map(|stamp| (&stamp.name, stamp.storage));
    let ids: Vec<_> = definition.ids().map(|column| &column.name).collect();
    let mut registers: Vec<_> = definition
        .registered()
        .filter(|_| definition.has_registers())
        .map(|column| (&column.name, column.storage))
        .collect();
    registers.sort();
    digest(&format!(
        "{:?}",
        (
            &definition.schema,
            &definition.table,
            ids,
            visible_by,
            stamp,
            definition.has_registers(),
            registers
        )
    ))
}

/// SHA-256 in hexadecimal digits, as `encode(sha256(..), 'hex')` has it.
pub(super) fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// The definition as the registry keeps it.
fn json(definition: &TableDefinition) -> String {
    serde_json::to_string(definition).unwrap_or_default()
}

/// An array of texts.
pub(super) fn array<'a>(names: impl Iterator<Item = &'a String>) -> String {
    format!("array[{}]::text[]", list(names.map(|name| literal(name))))
}

/// Joined by commas.
pub(super) fn list(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

/// `body` between dollar quotes that don't occur in it.
pub(super) fn dollar(body: &str) -> String {
    let mut tag = "$carburetor$".to_owned();
    while body.contains(&tag) {
        tag.insert(tag.len() - 1, '_');
    }
    format!("{tag}{body}{tag}")
}
