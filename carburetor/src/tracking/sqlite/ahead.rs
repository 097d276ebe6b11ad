//! Rows with a stamp of the future.

use super::clock::SYSTEM_TIME;
use super::stamp_expression;
use crate::table::{TableDefinition, literal, quoted};

/// A query of rows (name, problem, remedy) that names the rows of a tracked table which are stamped ahead of the file's clock, and of the system's time, by more than
/// a minute.
pub(in crate::tracking) fn ahead(definition: &TableDefinition) -> Option<String> {
    let stamp = definition.stamp().filter(|_| !definition.untracked)?;
    let bound = format!("(select max(now, {SYSTEM_TIME}) + 60000000 as now from carburetor_clock)");
    let bound = format!(
        "(select {} from {bound})",
        stamp_expression(stamp.storage, "now")
    );
    let (table, stamp) = (quoted(&definition.table), stamp.quoted());
    let ids: Vec<String> = definition
        .ids()
        .map(|id| format!("cast({} as text)", id.quoted()))
        .collect();
    let ids = ids.join(" || ', ' || ");
    Some(format!(
        "select {key}, f.n || ' rows have a stamp of the future, up to ' || f.last || ': until then they come with every download, and edits of replicas \
         are superseded by what they hold; among them: ' || f.named, 'run the tracking''s up.sql, or call `Tracking::install`: it stamps them anew'
from (select count(*) as n, cast(max({stamp}) as text) as last,
    (select group_concat(id, '; ') from (select {ids} as id from {table} where {stamp} > {bound} order by {stamp} desc limit 3)) as named
  from {table} where {stamp} > {bound}) f
where f.n > 0",
        key = literal(&definition.key()),
    ))
}
