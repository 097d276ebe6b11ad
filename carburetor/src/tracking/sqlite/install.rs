//! Installing, changing and taking away tracking, as the text of a migration.

use super::clock::shared_tables;
use super::conflict::conflict_table;
use super::format::stamp_expression;
use super::register::register_table;
use super::removal::{REMOVAL_TRIGGERS, removal_table, removal_triggers};
use super::replaced::REPLACED_TRIGGERS;
use super::stamping::{stamping_triggers, trigger_names};
use super::surroundings::{TrackedTable, object};
use super::upkeep::{expired_now, reset, reset_where};
use crate::hex::hex;
use crate::register::COLUMN;
use crate::table::{ColumnDefinition, TableDefinition, literal, quoted};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The statements that track `tables`. Run them in one transaction; repeating them changes nothing.
///
/// Where a trigger was missing or other than expected, writes may have gone unseen: the table's generation and horizon then
/// move, and replicas download it from the beginning. A definition that differs from the installed one is refused by a
/// constraint, whose name says to run [`difference`](super::difference).
///
/// ```
/// # use carburetor::table::{ColumnDefinition, TableDefinition};
/// use carburetor::tracking::sqlite::{TrackedTable, up};
/// # let users = TableDefinition { table: "users".into(), columns: vec![
/// #     ColumnDefinition { id: true, ..ColumnDefinition::new("id") },
/// #     ColumnDefinition { last_synced_at: true, ..ColumnDefinition::new("updated_at") }], ..Default::default() };
/// let migration = up(&[TrackedTable::new(users)]);
/// assert!(migration.contains(r#"create trigger "carburetor_removal_delete_users" after delete on "users""#));
/// ```
pub fn up(tables: &[TrackedTable]) -> String {
    let mut text = shared_tables();
    for table in tables {
        text += &tables_beside(table);
        text += &reset_after_a_gap(table);
        text += &triggers_and_index(table);
        text += &register(table);
        text += &stamp_again_what_is_ahead(table);
    }
    text
}

/// The statements that end the tracking of `tables`.
///
/// The clock stays, because replicas hold cutoffs of it, and so does the registry's row, with the next generation and horizon: what
/// is written from now on is not seen, so after a later [`up`] replicas start over.
///
/// ```
/// # use carburetor::table::TableDefinition;
/// # let users = TableDefinition { table: "users".into(), ..Default::default() };
/// let migration = carburetor::tracking::sqlite::down(&[users]);
/// assert!(migration.contains(r#"drop table if exists "carburetor_removal_users";"#));
/// ```
pub fn down(tables: &[TableDefinition]) -> String {
    let tables = tables.iter();
    tables
        .map(|table| forget(table) + &drop_column(table))
        .collect()
}

/// [`down`] of a table that is gone itself, or has no registers.
pub(in crate::tracking) fn forget(table: &TableDefinition) -> String {
    let mut text = drop_triggers(table);
    text += &format!(
        "drop index if exists {};\n",
        quoted(&object(table, "stamp"))
    );
    text += &drop_tables(table);
    text += &format!(
        "update carburetor_synced_table set hash = '' where name = {};\n",
        literal(&table.key())
    );
    text + &reset(table)
}

/// The tables that hold what left and what lost.
pub(super) fn tables_beside(table: &TrackedTable) -> String {
    let mut text = removal_table(table);
    if table.definition.has_registers() {
        text += &register_table(table);
        text += &conflict_table(table);
    }
    text
}

pub(super) fn drop_tables(table: &TableDefinition) -> String {
    let removal = quoted(&object(table, "removal"));
    format!("drop table if exists {removal};\n") + &drop_register_tables(table)
}

pub(super) fn drop_register_tables(table: &TableDefinition) -> String {
    format!(
        "drop table if exists {};\ndrop table if exists {};\n",
        quoted(&object(table, "register")),
        quoted(&object(table, "conflict"))
    )
}

/// What drops the column of the registers, which must be there.
pub(super) fn drop_column(table: &TableDefinition) -> String {
    match table.has_registers() {
        true => format!(
            "alter table {} drop column {COLUMN};\n",
            quoted(&table.table)
        ),
        false => String::new(),
    }
}

pub(super) fn drop_triggers(table: &TableDefinition) -> String {
    let removal = REMOVAL_TRIGGERS.iter().chain(&REPLACED_TRIGGERS);
    removal
        .map(|what| object(table, what))
        .chain(trigger_names(|what| object(table, what)))
        .map(|name| format!("drop trigger if exists {};\n", quoted(&name)))
        .collect()
}

/// Name and text of every trigger of `table`.
pub(super) fn triggers(table: &TrackedTable) -> Vec<(String, String)> {
    let mut triggers = removal_triggers(table);
    triggers.extend(stamping_triggers(table));
    triggers
}

/// Name and text of the index that downloads read by.
pub(super) fn stamp_index(table: &TrackedTable) -> Option<(String, String)> {
    let stamp = table.definition.stamp()?;
    let columns: Vec<String> = std::iter::once(stamp)
        .chain(table.definition.ids())
        .map(ColumnDefinition::quoted)
        .collect();
    let name = table.object("stamp");
    let text = format!(
        "create index {} on {} ({})",
        quoted(&name),
        table.name(),
        columns.join(", ")
    );
    Some((name, text))
}

pub(super) fn triggers_and_index(table: &TrackedTable) -> String {
    let mut text = drop_triggers(&table.definition);
    for (_, trigger) in triggers(table) {
        text += &trigger;
        text += ";\n";
    }
    if let Some((_, index)) = stamp_index(table) {
        text += &index.replacen("create index", "create index if not exists", 1);
        text += ";\n";
    }
    text
}

fn reset_after_a_gap(table: &TrackedTable) -> String {
    let expected: Vec<String> = triggers(table)
        .iter()
        .map(|(name, text)| format!("({}, {})", literal(name), literal(&as_stored(text))))
        .collect();
    let gap = format!(
        "name = {} and hash <> '' and exists (
    select 1 from (values {}) as expected
    where not exists (select 1 from sqlite_schema as s where s.name = expected.column1 and s.sql = expected.column2))",
        literal(&table.definition.key()),
        expected.join(",\n    ")
    );
    reset_where(&gap, &format!(", expired = {}", expired_now()))
}

/// `text` as `sqlite_schema` keeps it: SQLite writes the words up to the name itself.
pub(super) fn as_stored(text: &str) -> String {
    match text.find('"') {
        Some(name) => text[..name].to_uppercase() + &text[name..],
        None => text.to_owned(),
    }
}

fn register(table: &TrackedTable) -> String {
    let key = literal(&table.definition.key());
    format!(
        "insert into carburetor_synced_table (name, horizon, definition, hash)
  select {key}, now, {}, {} from carburetor_clock where true
  on conflict (name) do update set
    horizon = case when hash = '' then max(horizon, excluded.horizon) else horizon end,
    expired = case when hash = '' then {} else expired end,
    definition = case when hash in ('', excluded.hash) then excluded.definition else '' end,
    hash = excluded.hash;\n",
        literal(&registered(table)),
        literal(&hash(&table.definition)),
        expired_now(),
    )
}

/// Stamps ahead of the clock would make the next stamp of their rows a smaller one.
pub(super) fn stamp_again_what_is_ahead(table: &TrackedTable) -> String {
    let Some(stamp) = table.definition.stamp() else {
        return String::new();
    };
    format!(
        "update {0} set {1} = {1} where {1} > (select {2} from carburetor_clock);\n",
        table.name(),
        stamp.quoted(),
        stamp_expression(stamp.storage, "now")
    )
}

/// The definition as JSON. A failure leaves it empty, which the registry's constraint refuses.
pub(super) fn definition(table: &TableDefinition) -> String {
    serde_json::to_string(table).unwrap_or_default()
}

/// The definition as the registry keeps it: with the types that the columns are declared with, so that a change of them is seen.
pub(super) fn registered(table: &TrackedTable) -> String {
    let columns = table.definition.columns.iter();
    let types = columns
        .map(|column| {
            let name = column.name.clone();
            let declared = table.surroundings.declared_type(&column.name);
            (name, declared.into())
        })
        .collect();
    match serde_json::to_value(&table.definition) {
        Ok(Value::Object(mut definition)) => {
            definition.insert("types".into(), Value::Object(types));
            Value::Object(definition).to_string()
        }
        _ => String::new(),
    }
}

/// The hash of the definition, in hexadecimal.
pub(super) fn hash(table: &TableDefinition) -> String {
    hex(&Sha256::digest(definition(table)))
}
