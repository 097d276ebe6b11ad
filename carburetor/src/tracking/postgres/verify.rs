//! What is wrong with an installation.

use super::install::{Names, array, digest, hash, kind, list, stored};
use super::schema;
use super::triggers::functions;
use crate::table::{TableDefinition, literal};

/// One query that returns a row (name, problem, remedy), all text, for each thing that is wrong; none where all is well.
///
/// It changes nothing, and works also where nothing is installed. Run it as a role that reads the registry.
///
/// ```
/// # use carburetor::tracking::postgres::verify;
/// # let users = carburetor::table::TableDefinition { table: "users".into(), ..Default::default() };
/// assert!(verify(&[&users]).contains("no valid index begins with"));
/// ```
pub fn verify(definitions: &[&TableDefinition]) -> String {
    let tracked: Vec<_> = definitions
        .iter()
        .filter(|definition| !definition.untracked)
        .collect();
    if tracked.is_empty() {
        return super::NO_PROBLEM.to_owned();
    }
    let text = schema::text();
    let shared = schema::functions(&text).into_iter();
    let shared =
        shared.map(|(name, body)| format!("({}, {})", literal(name), literal(&digest(body))));
    schema::with_types(include_str!("verify.sql"))
        .replace("{obstacle}", schema::OBSTACLE)
        .replace("{shared}", &list(shared))
        .replace(
            "{expected}",
            &list(tracked.iter().map(|definition| expected(definition))),
        )
}

fn expected(definition: &TableDefinition) -> String {
    let functions = functions(definition);
    let optional =
        |value: Option<&str>| format!("{}::text", value.map_or("null".to_owned(), literal));
    let beside = |kind: &str| {
        let name = definition
            .has_registers()
            .then(|| definition.tracking_name(kind));
        optional(name.as_deref())
    };
    let values = [
        literal(&definition.key()),
        literal(&definition.sql_name()),
        optional(definition.stamp().map(|stamp| stamp.name.as_str())),
        optional(definition.stamp().and_then(kind)),
        array(definition.ids().map(|column| &column.name)),
        array(definition.visible_by().map(|column| &column.name)),
        array(stored(definition).map(|column| &column.name)),
        literal(&definition.removal_name()),
        literal(&Names::of(definition).index),
        literal(&hash(definition)),
        array(functions.all().map(|function| &function.name).into_iter()),
        array(
            functions
                .all()
                .map(|function| digest(&function.body))
                .iter(),
        ),
        beside("register"),
        beside("conflict"),
    ];
    format!("({})", list(values))
}
