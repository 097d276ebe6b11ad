//! What is wrong with the tracking of a database.

use super::install::{as_stored, hash, stamp_index, triggers};
use super::refusal::{absent, refusals};
use super::removal::{removal_columns, removal_indexes};
use super::surroundings::TrackedTable;
use crate::table::literal;

/// A query of rows `(name, problem, remedy)`: what keeps `tables` from being tracked truthfully. No row, no problem.
///
/// Read the [`surroundings`](super::surroundings) first: a unique key or a trigger that came later shows up as a trigger
/// that differs. Before the first [`up`](super::up) the query fails, because there is no registry.
///
/// ```
/// # use carburetor::table::TableDefinition;
/// use carburetor::tracking::sqlite::{TrackedTable, verify};
/// # let users = TableDefinition { table: "users".into(), ..Default::default() };
/// assert!(verify(&[TrackedTable::new(users)]).contains("the clock has no row"));
/// ```
pub fn verify(tables: &[TrackedTable]) -> String {
    let mut parts = vec![
        "select 'carburetor_clock' as name, 'the clock has no row' as problem, 'run the tracking''s up.sql again' as remedy
where not exists (select 1 from carburetor_clock)"
            .to_owned(),
        "select 'carburetor_flag', 'stamps are turned off in committed data', 'delete the row untracked, then touch what was written'
where exists (select 1 from carburetor_flag where name = 'untracked')"
            .to_owned(),
    ];
    for table in tables {
        parts.push(refusals(&table.definition));
        parts.push(objects(table));
        parts.push(registered(table));
        parts.extend(columns(table));
    }
    parts.join("\nunion all\n")
}

fn objects(table: &TrackedTable) -> String {
    let triggers = triggers(table).into_iter().map(|named| ("trigger", named));
    let indexes = stamp_index(table)
        .into_iter()
        .chain(removal_indexes(table))
        .map(|named| ("index", named));
    let expected: Vec<String> = triggers
        .chain(indexes)
        .map(|(kind, (name, text))| {
            format!(
                "('{kind}', {}, {})",
                literal(&name),
                literal(&as_stored(&text))
            )
        })
        .collect();
    format!(
        "select e.column2, case when s.name is null then 'the ' || e.column1 || ' is missing' else 'the ' || e.column1 || ' differs from what the model asks for' end,
  'run the tracking''s up.sql again' || case e.column1 when 'index' then ', after dropping the index' else '; replicas then download the table from the beginning' end
from (values {}) as e left join sqlite_schema as s on s.name = e.column2 and s.type = e.column1
where s.sql is not e.column3",
        expected.join(",\n  ")
    )
}

fn registered(table: &TrackedTable) -> String {
    let key = literal(&table.definition.key());
    format!(
        "select {key}, 'its tracking was installed for another definition of the model', 'run the difference between the two'
where (select hash from carburetor_synced_table where name = {key}) is not {}",
        literal(&hash(&table.definition))
    )
}

fn columns(table: &TrackedTable) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(stamp) = table.definition.stamp() {
        parts.push(format!(
            "select {}, {}, 'add the column, then run the tracking''s up.sql again' where {}",
            literal(&table.definition.key()),
            literal(&format!("the column {} is missing", stamp.name)),
            absent(&table.definition, stamp)
        ));
    }
    let removal = literal(&table.object("removal"));
    let names = removal_columns(&table.definition).map(|column| column.name.as_str());
    for name in names.chain(["carburetor_removed_at"]) {
        parts.push(format!(
            "select {removal}, {}, 'run the difference to the model''s definition'
where not exists (select 1 from pragma_table_xinfo({removal}) where name = {} collate nocase)",
            literal(&format!("the column {name} is missing")),
            literal(name)
        ));
    }
    parts
}
