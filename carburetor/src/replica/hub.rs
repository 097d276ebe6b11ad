//! A replica's file that serves other devices. The stamps in its tables are of its own then, so that those of the server, on which edits are
//! based, lie beside them.

use super::error::ReplicaError;
use super::query::{self, BIND, Bind, Stored};
use super::show::Staging;
use super::table::ReplicaTable;
use crate::register::COLUMN;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// Whether the table is tracked in this file, and takes edits.
pub(super) fn is_hub(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> Result<bool, ReplicaError> {
    let sql = format!("select 1 from pragma_table_info({BIND}) where name = {BIND}");
    let binds = [&table.definition.table[..], COLUMN].map(Bind::text);
    Ok(table.stamp().is_some() && query::exists(conn, &sql, binds)?)
}

/// Makes the table of the server's stamps. Rows from before have none: an edit of them counts as one that knows nothing of the server's.
pub(super) fn install(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> Result<(), ReplicaError> {
    let (Some(stamp), true) = (table.stamp(), table.is_hub) else {
        return Ok(());
    };
    let (upstream, ids) = (table.own("upstream"), table.ids(""));
    Ok(conn.batch_execute(&format!(
        "create table if not exists {upstream} as select {ids}, {} as stamp from {} where 0;
create unique index if not exists {} on {upstream} ({ids})",
        stamp.quoted(),
        table.name(),
        table.own("upstream_id"),
    ))?)
}

/// Keeps the server's stamps of what is staged.
pub(super) fn note(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    staging: Staging,
) -> Result<(), ReplicaError> {
    let (Some(stamp), true) = (table.stamp(), table.is_hub) else {
        return Ok(());
    };
    let (upstream, ids) = (table.own("upstream"), table.ids(""));
    Ok(conn.batch_execute(&format!(
        "delete from {upstream} where ({ids}) in (select {ids} from {});
insert or replace into {upstream} ({ids}, stamp) select {ids}, {} from {}",
        table.staged(staging.gone),
        stamp.quoted(),
        table.staged(staging.rows)
    ))?)
}

/// Keeps the server's stamp of one row.
pub(super) fn note_one(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
    stamp: &Stored,
) -> Result<(), ReplicaError> {
    if !table.is_hub {
        return Ok(());
    }
    let marks = vec![BIND; id.len()].join(", ");
    let sql = format!(
        "insert or replace into {} ({}, stamp) values ({marks}, {BIND})",
        table.own("upstream"),
        table.ids("")
    );
    let id = id.iter().cloned().map(Bind);
    query::execute(conn, &sql, id.chain([Bind(stamp.clone())]))?;
    Ok(())
}
