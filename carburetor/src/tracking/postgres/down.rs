//! The way back: tables are as before, but for their stamps.

use super::install::{Names, dollar, forget_registers};
use super::{notify, triggers};
use crate::table::{TableDefinition, literal, quoted};

/// What takes the tracking of `definitions` away, in one transaction.
///
/// The stamps' columns stay, also those that [`up`](super::up) added: they are the model's. The schema goes when nothing is left in it.
///
/// ```
/// # use carburetor::tracking::postgres::down;
/// assert!(down(&[]).contains("drop schema carburetor"));
/// ```
pub fn down(definitions: &[&TableDefinition]) -> String {
    let tables: String = definitions
        .iter()
        .filter(|definition| !definition.untracked)
        .map(|definition| table(definition))
        .collect();
    format!("{tables}{SCHEMA}")
}

/// One table's part.
pub(super) fn table(definition: &TableDefinition) -> String {
    let functions = triggers::functions(definition);
    let names = Names::of(definition);
    let index = match &definition.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&names.index)),
        None => quoted(&names.index),
    };
    format!(
        "-- {comment}; its stamps stay
set local lock_timeout = '3s';
-- The triggers of the table and of its partitions go with their functions.
drop function if exists {stamp}() cascade;
drop function if exists {removal}() cascade;
drop function if exists {truncate}() cascade;
drop trigger if exists {notify} on {table};
{registers}drop table if exists {removal_table};
drop index if exists {index};
do {forget};
set local lock_timeout to default;
",
        comment = definition.key().replace(['\n', '\r'], " "),
        stamp = functions.stamp.name,
        removal = functions.removal.name,
        truncate = functions.truncate.name,
        notify = quoted(notify::TRIGGER),
        table = definition.sql_name(),
        registers = forget_registers(definition),
        removal_table = names.removal_table,
        forget = dollar(&format!(
            " begin
  if to_regclass('carburetor.synced_table') is not null then
    delete from carburetor.synced_table where name = {};
  end if;
end ",
            literal(&definition.key())
        )),
    )
}

const SCHEMA: &str = "-- The registry goes with its last table, the schema when nothing else is in it.
do $carburetor$ begin
  if to_regclass('carburetor.synced_table') is null then
    return;
  elsif exists (select from carburetor.synced_table) then
    return;
  end if;
  drop table carburetor.synced_table, carburetor.watermark, carburetor.clock, carburetor.outcome;
  drop function if exists carburetor.notify() cascade;
  drop function if exists carburetor.home(), carburetor.new_origin(), carburetor.adopt_origin();
  drop function carburetor.publish(), carburetor.clock_of(timestamptz), carburetor.reset_table(text),
    carburetor.obstacle(regclass, text, text, text[], text[]), carburetor.prepare_beside(regclass, text, text[], text[], text[]),
    carburetor.prepare_table(text, text, text, text, text, text[], text[], text[], text, text, text, text),
    carburetor.register_table(text, text, regproc[], text, text);
  if not exists (select from pg_depend d where d.refclassid = 'pg_namespace'::regclass and d.refobjid = 'carburetor'::regnamespace) then
    drop schema carburetor;
  end if;
end $carburetor$;
";
