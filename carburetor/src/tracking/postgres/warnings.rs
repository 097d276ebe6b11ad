//! What works, and may surprise.

use super::install::{array, list};
use crate::table::{TableDefinition, literal};

/// What works and may surprise, as a query over the columns of `w`.
pub(super) const WARNINGS: &str = include_str!("warnings.sql");

/// One query that returns a row (name, problem, remedy), all text, for each thing that works and may surprise: ids that the database makes
/// itself where replicas insert rows, columns that take no values, functions that return the table's rows.
///
/// It changes nothing, and works also where nothing is installed; the printed tracking tells most of it as warnings.
///
/// ```
/// # use carburetor::tracking::postgres::warnings;
/// # let users = carburetor::table::TableDefinition { table: "users".into(), ..Default::default() };
/// assert!(warnings(&[&users]).contains("comes from a sequence"));
/// ```
pub fn warnings(definitions: &[&TableDefinition]) -> String {
    let tables: Vec<_> = definitions
        .iter()
        .filter(|definition| !definition.untracked)
        .map(|definition| wanted(definition))
        .collect();
    if tables.is_empty() {
        return super::NO_PROBLEM.to_owned();
    }
    format!(
        "select w.name, r.problem, r.remedy from (values {}) w (name, relation, uploads, ids, written)\ncross join lateral (\n{WARNINGS}) r order by 1, 2",
        list(tables)
    )
}

fn wanted(definition: &TableDefinition) -> String {
    let values = [
        literal(&definition.key()),
        format!("to_regclass({})", literal(&definition.sql_name())),
        definition.has_registers().to_string(),
        array(definition.ids().map(|column| &column.name)),
        array(definition.written().map(|column| &column.name)),
    ];
    format!("({})", list(values))
}
