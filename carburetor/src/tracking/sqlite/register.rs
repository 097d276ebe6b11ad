//! Registers as the triggers move them, and the clocks of deleted rows.
//!
//! A row's registers lie in its own column `carburetor_registers`, so that the update that writes the stamp moves them too. They are changed by a
//! JSON merge patch whose text is put together from the columns' names: the path of `json_set` can't name every column.
//!
//! # The successor of a clock
//!
//! SQLite reads no hexadecimal numbers, so the successor of the member `"+"` is made of its digits: of the first sixteen, those after the last
//! that is no `f` become `0`, that one becomes the next digit, and so does a carry come about; sixteen zeros follow. It is what
//! `Clock::successor` says. A `"+"` that is no clock, or the very last one, counts as none.

use super::clock::clock_of;
use super::removal::{differs, if_missing, list, removal_columns, same};
use super::surroundings::TrackedTable;
use crate::backend::SyncBackend;
use crate::register::COLUMN;
use crate::table::{ColumnDefinition, TableDefinition, literal, quoted};
use diesel::sqlite::Sqlite;

/// Whether a column that can have a register of its own changed, other than by its collation's rules.
pub(super) fn changed(table: &TableDefinition) -> String {
    let mut changed: Vec<String> = table.registered().map(unlike).collect();
    if changed.is_empty() {
        changed.push("false".to_owned());
    }
    changed.join(" or ")
}

fn unlike(column: &ColumnDefinition) -> String {
    format!("old.{0} is not new.{0} collate binary", column.quoted())
}

/// The registers after an update of a row by a stamping, whose columns stand unqualified; so does the row's present value, because an
/// application's trigger may have written the row since `new`.
pub(super) fn moved(table: &TableDefinition, stamp: &ColumnDefinition) -> String {
    let columns: String = table
        .registered()
        .map(|column| {
            let member = serde_json::Value::from(column.name.as_str()).to_string();
            format!(
                "\n        || iif({}, {} || clock || '\"', '')",
                unlike(column),
                literal(&format!(",{member}:\""))
            )
        })
        .collect();
    format!(
        "case when {other_id} then null else json_patch(iif({is_known}, {COLUMN}, '{{}}'), '{{' || substr(
        iif({was_known}, '', ',\"\":\"' || {base} || '\"')
        || iif({is_marked}, iif(clock > {moment}, ',\"+\":\"' || clock || '\"', ',\"+\":null'), ''){columns}, 2) || '}}') end",
        other_id = differs(table.ids(), "old"),
        is_known = known(COLUMN),
        was_known = known(OLD),
        is_marked = marked(OLD),
        moment = clock_of("(select now from carburetor_clock)"),
        base = base(stamp),
    )
}

/// The registers of the row before the statement.
const OLD: &str = "old.carburetor_registers";

/// Whether `registers` are a JSON object. What else an application may have written there breaks no write.
fn known(registers: &str) -> String {
    format!("coalesce(iif(json_valid({registers}), json_type({registers}), ''), '') = 'object'")
}

/// The clock of the old row's stamp, never above the clock's: an application can have written any stamp within this statement.
fn base(stamp: &ColumnDefinition) -> String {
    let micros = Sqlite::micros(&format!("old.{}", stamp.quoted()), stamp.storage);
    format!(
        "(select {} from (select min(max(coalesce(cast({micros} as integer), 0), 0), (select now from carburetor_clock)) as micros))",
        clock_of("micros")
    )
}

/// The successor of the member `"+"` of `registers`; NULL where there is none.
fn successor(registers: &str) -> String {
    format!(
        "case when {is_marked} then (
          select substr(substr(digits, 1, length(digits) - 1) || substr('123456789abcdef', instr('0123456789abcde', substr(digits, -1)), 1)
            || '{zeros}', 1, 32)
          from (select rtrim(substr(last, 1, 16), 'f') as digits, last
            from (select iif(json_valid({registers}), json_extract({registers}, '$.\"+\"'), '') as last))
          where length(last) = 32 and last not glob '*[^0-9a-f]*' and digits <> '') end",
        is_marked = marked(registers),
        zeros = "0".repeat(32)
    )
}

/// Whether `registers` may have the member `"+"`; it costs little.
fn marked(registers: &str) -> String {
    format!("instr({registers}, '\"+\"')")
}

/// The clock of a write, where the database's stands at `carburetor_clock`: greater than what the row was written with.
pub(super) fn next_clock(registers: &str) -> String {
    format!(
        "max({}, coalesce({}, ''))",
        clock_of("carburetor_clock.now"),
        successor(registers)
    )
}

/// Downloads carry what was written ahead of the clock; `written` is a query of one value, NULL where there is none.
pub(super) fn raise(written: &str) -> String {
    format!(
        "update carburetor_clock set ahead = max(ahead, ({written})) where ({written}) > {};",
        clock_of("now")
    )
}

/// Raises the clock that downloads carry by that of a stamping.
pub(super) fn raise_by_stamping() -> String {
    raise(&format!(
        "select clock from carburetor_stamping where {} order by depth desc limit 1",
        marked(OLD)
    ))
}

/// The table of the deletions' clocks, with its index. CREATE TABLE AS takes the affinities over, as the removal table does.
pub(super) fn register_table(table: &TrackedTable) -> String {
    let (_, index) = register_index(table);
    format!(
        "create table if not exists {} as
  select {}, cast('' as text) as carburetor_clock from {} where 0;
{};
",
        quoted(&table.object("register")),
        list(removal_columns(&table.definition), ""),
        table.name(),
        if_missing(&index),
    )
}

/// Name and text of the index by which a deletion's clock is found.
pub(super) fn register_index(table: &TrackedTable) -> (String, String) {
    let name = table.object("deleted_id");
    let text = format!(
        "create unique index {} on {} ({})",
        quoted(&name),
        quoted(&table.object("register")),
        list(table.definition.ids(), "")
    );
    (name, text)
}

/// The statements that keep the clock of the old row's deletion, if `condition` holds.
pub(super) fn delete_old(table: &TrackedTable, condition: &str) -> String {
    if !table.definition.has_registers() {
        return String::new();
    }
    let registers = format!("old.{COLUMN}");
    let values = format!(
        "{values}, {next_clock} from carburetor_clock where {condition}",
        values = list(removal_columns(&table.definition), "old."),
        next_clock = next_clock(&registers),
    );
    let raise = raise(&format!(
        "select max(gone.carburetor_clock) from {} as gone where {} and {} and {condition}",
        quoted(&table.object("register")),
        same(table.definition.ids(), Some("gone"), "old"),
        marked(&registers),
    ));
    format!("{}\n  {raise}", noted(table, &values))
}

/// The statement that notes deletions: the `values` of a query, which has a condition, are the removal columns and a clock. A deletion's clock is
/// greater than what the row was written with, and never becomes smaller.
pub(super) fn noted(table: &TrackedTable, values: &str) -> String {
    let columns = || removal_columns(&table.definition);
    let seen: String = columns()
        .filter(|column| !column.id)
        .map(|column| format!("{0} = excluded.{0}, ", column.quoted()))
        .collect();
    format!(
        "
  insert into {register} ({names}, carburetor_clock)
    select {values}
    on conflict ({ids}) do update set {seen}carburetor_clock = max(carburetor_clock, excluded.carburetor_clock);",
        register = quoted(&table.object("register")),
        names = list(columns(), ""),
        ids = list(table.definition.ids(), ""),
    )
}
