//! From one installed definition to another, as the text of a migration.

use super::clock::advance;
use super::install::{
    down, drop_column, drop_register_tables, drop_tables, drop_triggers, hash, registered,
    stamp_again_what_is_ahead, tables_beside, triggers_and_index, up,
};
use super::removal::removal_columns;
use super::replaced::REPLACED_TABLE;
use super::surroundings::TrackedTable;
use super::upkeep::{expired_now, reset};
use crate::table::{ColumnDefinition, TableDefinition, literal, quoted};

/// The statements that lead from the installed definitions `old` to `new`. Run them in one transaction.
///
/// Other ids or another stamp start the table again. Other visible-by columns move the horizon to now, because the
/// removals until now don't say what a scope would ask; the clocks of deletions and the conflict log begin anew.
///
/// ```
/// # use carburetor::table::{ColumnDefinition, TableDefinition};
/// use carburetor::tracking::sqlite::{TrackedTable, difference};
/// # let users = TableDefinition { table: "users".into(), columns: vec![
/// #     ColumnDefinition { id: true, ..ColumnDefinition::new("id") }], ..Default::default() };
/// assert_eq!(difference(&[users.clone()], &[TrackedTable::new(users)]), "");
/// ```
pub fn difference(old: &[TableDefinition], new: &[TrackedTable]) -> String {
    let gone: Vec<TableDefinition> = old
        .iter()
        .filter(|old| !new.iter().any(|new| new.definition.key() == old.key()))
        .cloned()
        .collect();
    let mut text = down(&gone);
    for table in new {
        match old.iter().find(|old| old.key() == table.definition.key()) {
            None => text += &up(std::slice::from_ref(table)),
            Some(old) if *old != table.definition => text += &change(old, table),
            Some(_) => {}
        }
    }
    text
}

fn change(old: &TableDefinition, table: &TrackedTable) -> String {
    let new = &table.definition;
    let key = literal(&new.key());
    let mut text = drop_triggers(old);
    if !same_names(removal_columns(old), removal_columns(new)) {
        text += &drop_tables(new);
        text += &advance();
        text += &format!(
            "\nupdate carburetor_synced_table set horizon = (select now from carburetor_clock), expired = {} where name = {key};\n",
            expired_now()
        );
    } else if new.has_registers() && !old.has_registers() {
        text += &format!(
            "update carburetor_synced_table set expired = {} where name = {key};\n",
            expired_now()
        );
    }
    if !new.has_registers() {
        text += &drop_column(old);
        text += &drop_register_tables(new);
    }
    if !same_names(old.ids(), new.ids())
        || !same_names(old.stamp().into_iter(), new.stamp().into_iter())
    {
        text += &format!("drop index if exists {};\n", quoted(&table.object("stamp")));
        text += &reset(new);
    }
    text += REPLACED_TABLE;
    text += &tables_beside(table);
    text += &triggers_and_index(table);
    text += &format!(
        "update carburetor_synced_table set definition = {}, hash = {} where name = {key};\n",
        literal(&registered(table)),
        literal(&hash(new))
    );
    text + &stamp_again_what_is_ahead(table)
}

fn same_names<'a>(
    old: impl Iterator<Item = &'a ColumnDefinition>,
    new: impl Iterator<Item = &'a ColumnDefinition>,
) -> bool {
    old.map(|column| (&column.name, column.storage))
        .eq(new.map(|column| (&column.name, column.storage)))
}
