//! What works, and may surprise.

use crate::table::{TableDefinition, literal};

/// A query of rows `(name, problem, remedy)`: ids that the database makes itself where replicas insert rows, columns that take no values, and references
/// that the connection doesn't enforce.
///
/// ```
/// # use carburetor::table::TableDefinition;
/// # let users = TableDefinition { table: "users".into(), ..Default::default() };
/// assert!(carburetor::tracking::sqlite::warnings(&[&users]).contains("autoincrement"));
/// ```
pub fn warnings(definitions: &[&TableDefinition]) -> String {
    let uploads = definitions.iter().filter(|table| table.has_registers());
    let parts: Vec<String> = uploads.map(|table| of(table)).collect();
    match parts.is_empty() {
        true => "select '' as name, '' as problem, '' as remedy where false".to_owned(),
        false => parts.join("\nunion all\n"),
    }
}

fn of(table: &TableDefinition) -> String {
    let written: Vec<String> = table
        .written()
        .map(|column| literal(&column.name))
        .collect();
    format!(
        "select {key} as name, 'its id comes from a sequence (autoincrement), so that replicas and the database may choose the same one' as problem,
  'let whoever inserts make ids that nobody else makes, UUIDs for instance, or mark the model #[sync(read_only)]; `carburetor::guide::ids` says more' as remedy
where exists (select 1 from sqlite_schema where type = 'table' and name = {name} collate nocase and sql like '%autoincrement%')
union all
select {key}, 'its column ' || c.name || ' is generated, so that each change of it is rejected', 'mark its field #[sync(read_only)]'
from pragma_table_xinfo({name}) c where c.hidden in (2, 3) and c.name collate nocase in ({written})
union all
select {key}, 'it has references, and this connection enforces none: an upload may leave rows that refer to none, or to one that its sender does not see',
  'run `pragma foreign_keys = on` on each connection that uploads run on'
from pragma_foreign_keys where foreign_keys = 0 and exists (select 1 from pragma_foreign_key_list({name}))",
        key = literal(&table.key()),
        name = literal(&table.table),
        written = written.join(", "),
    )
}
