//! Rows with a stamp of the future.

use crate::table::{Storage, TableDefinition, literal};

/// A query of rows (name, problem, remedy) that names the rows of a tracked table which are stamped ahead of the clock by more than a minute.
pub(in crate::tracking) fn ahead(definition: &TableDefinition) -> Option<String> {
    let stamp = definition.stamp().filter(|_| !definition.untracked)?;
    let now = match stamp.storage {
        Storage::Timestamp => "(pg_catalog.clock_timestamp() at time zone 'UTC')",
        _ => "pg_catalog.clock_timestamp()",
    };
    let (table, stamp) = (definition.sql_name(), stamp.quoted());
    let ids: Vec<String> = definition
        .ids()
        .map(|id| format!("{}::text", id.quoted()))
        .collect();
    let ids = ids.join(" || ', ' || ");
    let registers = match definition.has_registers() {
        true => ", carburetor_registers = null",
        false => "",
    };
    let remedy = format!(
        "in one transaction run: alter table {table} disable trigger \"~carburetor_stamp\"; \
         update {table} set {stamp} = {now}{registers} where {stamp} > {now}; and the tracking's up.sql, with which its replicas begin the table again"
    );
    Some(format!(
        "select {key}, f.n || ' rows have a stamp of the future, up to ' || f.last || ': until then they come with every download, and edits of replicas \
         are superseded by what they hold; among them: ' || f.named, {remedy}
from (select pg_catalog.count(*) as n, pg_catalog.max({stamp})::text as last,
    (select pg_catalog.string_agg(g.id, '; ') from (select {ids} as id from {table} where {ahead} order by {stamp} desc limit 3) g) as named
  from {table} where {ahead}) f
where f.n > 0",
        key = literal(&definition.key()),
        remedy = literal(&remedy),
        ahead = format!("{stamp} > {now} + interval '1 minute'"),
    ))
}
