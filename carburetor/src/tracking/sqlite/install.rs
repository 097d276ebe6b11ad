//! Installing, changing and taking away tracking, as the text of a migration.

use super::clock::{advance, shared_tables};
use super::format::stamp_expression;
use super::removal::{REMOVAL_TRIGGERS, removal_columns, removal_table, removal_triggers};
use super::stamping::{stamping_triggers, trigger_names};
use super::surroundings::{TrackedTable, object};
use super::upkeep::{reset, reset_where};
use crate::table::{ColumnDefinition, TableDefinition, literal, quoted};
use sha2::{Digest, Sha256};

/// The statements that track `tables`. Run them in one transaction; repeating them changes nothing.
///
/// Where a trigger was missing or other than expected, writes may have gone unseen: the table's generation and horizon then
/// move, and replicas download it from the beginning. A definition that differs from the installed one is refused by a
/// constraint, whose name says to run [`difference`].
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
        text += &removal_table(table);
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
    let mut text = String::new();
    for table in tables {
        text += &drop_triggers(table);
        text += &format!(
            "drop index if exists {};\n",
            quoted(&object(table, "stamp"))
        );
        text += &format!(
            "drop table if exists {};\n",
            quoted(&object(table, "removal"))
        );
        text += &format!(
            "update carburetor_synced_table set hash = '' where name = {};\n",
            literal(&table.key())
        );
        text += &reset(table);
    }
    text
}

/// The statements that lead from the installed definitions `old` to `new`. Run them in one transaction.
///
/// Other ids or another stamp start the table again. Other visible-by columns move the horizon to now, because the
/// removals until now don't say what a scope would ask.
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
        text += &format!(
            "drop table if exists {};\n",
            quoted(&table.object("removal"))
        );
        text += &advance();
        text += &format!(
            "\nupdate carburetor_synced_table set horizon = (select now from carburetor_clock) where name = {key};\n"
        );
    }
    if !same_names(old.ids(), new.ids())
        || !same_names(old.stamp().into_iter(), new.stamp().into_iter())
    {
        text += &format!("drop index if exists {};\n", quoted(&table.object("stamp")));
        text += &reset(new);
    }
    text += &removal_table(table);
    text += &triggers_and_index(table);
    text += &format!(
        "update carburetor_synced_table set definition = {}, hash = {} where name = {key};\n",
        literal(&definition(new)),
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

fn drop_triggers(table: &TableDefinition) -> String {
    REMOVAL_TRIGGERS
        .iter()
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

fn triggers_and_index(table: &TrackedTable) -> String {
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
    reset_where(&format!(
        "name = {} and hash <> '' and exists (
    select 1 from (values {}) as expected
    where not exists (select 1 from sqlite_schema as s where s.name = expected.column1 and s.sql = expected.column2))",
        literal(&table.definition.key()),
        expected.join(",\n    ")
    ))
}

/// `text` as `sqlite_schema` keeps it: SQLite writes the words up to the name itself.
pub(super) fn as_stored(text: &str) -> String {
    match text.find('"') {
        Some(name) => text[..name].to_uppercase() + &text[name..],
        None => text.to_owned(),
    }
}

fn register(table: &TrackedTable) -> String {
    format!(
        "insert into carburetor_synced_table (name, horizon, definition, hash)
  select {}, now, {}, {} from carburetor_clock where true
  on conflict (name) do update set
    horizon = case when hash = '' then max(horizon, excluded.horizon) else horizon end,
    definition = case when hash in ('', excluded.hash) then excluded.definition else '' end,
    hash = excluded.hash;\n",
        literal(&table.definition.key()),
        literal(&definition(&table.definition)),
        literal(&hash(&table.definition))
    )
}

/// Stamps ahead of the clock would make the next stamp of their rows a smaller one.
fn stamp_again_what_is_ahead(table: &TrackedTable) -> String {
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
fn definition(table: &TableDefinition) -> String {
    serde_json::to_string(table).unwrap_or_default()
}

/// The hash of the definition, in hexadecimal.
pub(super) fn hash(table: &TableDefinition) -> String {
    Sha256::digest(definition(table))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
