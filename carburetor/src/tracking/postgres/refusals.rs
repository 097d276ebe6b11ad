//! What can't be tracked, found before anything is installed.

use super::install::{array, kind, list, stored};
use super::schema::OBSTACLE;
use crate::table::{TableDefinition, literal};

/// One query that returns a row (name, problem, remedy), all text, for each table that can't be tracked as it is.
///
/// It changes nothing, and works also where nothing is installed.
///
/// ```
/// # use carburetor::tracking::postgres::refusals;
/// # let users = carburetor::table::TableDefinition { table: "users".into(), ..Default::default() };
/// assert!(refusals(&[&users]).contains("it is a view"));
/// ```
pub fn refusals(definitions: &[&TableDefinition]) -> String {
    let tables: Vec<_> = definitions
        .iter()
        .filter(|definition| !definition.untracked)
        .map(|definition| wanted(definition))
        .collect();
    if tables.is_empty() {
        return super::NO_PROBLEM.to_owned();
    }
    include_str!("refusals.sql")
        .replace("{obstacle}", OBSTACLE)
        .replace("{wanted}", &list(tables))
}

fn wanted(definition: &TableDefinition) -> String {
    let optional =
        |value: Option<&str>| format!("{}::text", value.map_or("null".to_owned(), literal));
    let values = [
        literal(&definition.key()),
        format!("to_regclass({})", literal(&definition.sql_name())),
        optional(definition.stamp().map(|stamp| stamp.name.as_str())),
        optional(definition.stamp().and_then(kind)),
        array(definition.ids().map(|column| &column.name)),
        array(stored(definition).map(|column| &column.name)),
    ];
    format!("({})", list(values))
}
