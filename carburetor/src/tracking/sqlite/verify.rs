//! What is wrong with the tracking of a database.

use super::conflict::conflict_columns;
use super::install::{as_stored, hash, stamp_index, triggers};
use super::refusal::refusals;
use super::register::register_index;
use super::removal::{removal_columns, removal_indexes};
use super::surroundings::TrackedTable;
use crate::register::COLUMN;
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
    parts.push(lacking(&SHARED));
    if tables.iter().any(|table| table.definition.has_registers()) {
        parts.push(DURABLE.to_owned());
    }
    for table in tables {
        parts.push(refusals(&table.definition));
        parts.push(objects(table));
        parts.push(registered(table));
        parts.push(columns(table));
        parts.push(types(table));
    }
    parts.join("\nunion all\n")
}

/// The columns of shared tables that an installation of before may lack.
const SHARED: [(&str, &str, &str); 7] = [
    ("carburetor_clock", "ahead", AGAIN),
    ("carburetor_clock", "origin", AGAIN),
    ("carburetor_pause", "ended", AGAIN),
    ("carburetor_synced_table", "expired", AGAIN),
    ("carburetor_outcome", "outcomes", AGAIN),
    ("carburetor_relay", "answer", AGAIN),
    ("carburetor_replaced", "removal", AGAIN),
];

const AGAIN: &str = "print and run the tracking's up.sql again";

/// What a device was told is in the database shall outlive a power failure: the device has forgotten its change.
const DURABLE: &str = "select 'synchronous', 'an upload on this connection is answered before it is on disk', 'run `pragma synchronous = full` on each connection that uploads run on'
from pragma_synchronous where synchronous < 2";

fn objects(table: &TrackedTable) -> String {
    let triggers = triggers(table).into_iter().map(|named| ("trigger", named));
    let indexes = stamp_index(table)
        .into_iter()
        .chain(removal_indexes(table))
        .chain(
            table
                .definition
                .has_registers()
                .then(|| register_index(table)),
        )
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

fn columns(table: &TrackedTable) -> String {
    let definition = &table.definition;
    let (own, removal) = (definition.table.clone(), table.object("removal"));
    let (register, conflict) = (table.object("register"), table.object("conflict"));
    let kept = || removal_columns(definition).map(|column| column.name.as_str());
    let mut expected: Vec<(&str, &str, &str)> = Vec::new();
    let stamp = definition.stamp().map(|stamp| stamp.name.as_str());
    expected.extend(stamp.map(|stamp| (own.as_str(), stamp, ADDITION)));
    let removals = kept().chain(["carburetor_removed_at"]);
    expected.extend(removals.map(|name| (removal.as_str(), name, DIFFERENCE)));
    if definition.has_registers() {
        expected.push((&own, COLUMN, ADDITION));
        let registers = kept().chain(["carburetor_clock"]);
        expected.extend(registers.map(|name| (register.as_str(), name, DIFFERENCE)));
        let conflicts = kept().chain(conflict_columns());
        expected.extend(conflicts.map(|name| (conflict.as_str(), name, DIFFERENCE)));
    }
    lacking(&expected)
}

/// The columns that are declared otherwise than when the tracking was installed.
fn types(table: &TrackedTable) -> String {
    format!(
        "select {key}, 'its column ' || c.name || ' is of type ' || c.type || ', and was ' || t.value || ' when it was tracked',
  'where the program''s models have the new type, run the tracking''s up.sql again'
from carburetor_synced_table s join json_each(s.definition, '$.types') t join pragma_table_xinfo({name}) c on c.name = t.key collate nocase
where s.name = {key} and c.hidden = 0 and t.value <> '' and c.type <> t.value collate nocase",
        key = literal(&table.definition.key()),
        name = literal(&table.definition.table),
    )
}

const ADDITION: &str = "add the column, then run the tracking's up.sql again";
const DIFFERENCE: &str = "run the difference to the model's definition";

/// The columns that are missing, of `expected`: table, column and remedy.
fn lacking(expected: &[(&str, &str, &str)]) -> String {
    let expected: Vec<String> = expected
        .iter()
        .map(|(table, column, remedy)| {
            let [table, column, remedy] = [table, column, remedy].map(|text| literal(text));
            format!("({table}, {column}, {remedy})")
        })
        .collect();
    format!(
        "select e.column1, 'the column ' || e.column2 || ' is missing', e.column3
from (values {}) as e
where not exists (select 1 from pragma_table_xinfo(e.column1) as c where c.name = e.column2 collate nocase)",
        expected.join(",\n  ")
    )
}
