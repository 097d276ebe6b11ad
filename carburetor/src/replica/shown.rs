//! Which groups of the file show a row, where they share its table: it goes when none does.
//!
//! Kept from the moment on that a second group has the table; until then all rows are the one group's.

use super::error::ReplicaError;
use super::query::{self, BIND, Bind, Stored};
use super::show::Staging;
use super::table::ReplicaTable;
use super::token;
use crate::table::literal;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// Whether another group of the file has the table, too.
pub(super) fn is_shared(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    group: &str,
) -> Result<bool, ReplicaError> {
    let sql =
        format!("select 1 from carburetor_replicated where name = {BIND} and in_group <> {BIND}");
    let binds = [&table.definition.table[..], group].map(Bind::text);
    Ok(query::exists(conn, &sql, binds)?)
}

/// Another group than `first` is about to have the table: so far it alone shows the rows.
pub(super) fn share(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    first: &str,
) -> Result<(), ReplicaError> {
    let (shown, name, ids) = (table.own("shown"), table.name(), table.ids(""));
    let known = "select 1 from sqlite_schema where type = 'table' and name = \u{1}";
    if query::exists(conn, known, [Bind::text(table.object("shown"))])? {
        return Ok(());
    }
    Ok(conn.batch_execute(&format!(
        "create table {shown} as select {ids}, {first} as in_group from {name};
create unique index {unique} on {shown} ({ids}, in_group)",
        first = literal(first),
        unique = table.own("shown_id"),
    ))?)
}

/// The group shows what is staged.
pub(super) fn note(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    group: &str,
    staging: Staging,
) -> Result<(), ReplicaError> {
    let ids = table.ids("");
    Ok(conn.batch_execute(&format!(
        "insert or ignore into {} ({ids}, in_group) select {ids}, {} from {}",
        table.own("shown"),
        literal(group),
        table.staged(staging.rows)
    ))?)
}

/// The group shows the row of this id, because the server took it.
pub(super) fn note_one(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    group: &str,
    id: &[Stored],
) -> Result<(), ReplicaError> {
    let sql = format!(
        "insert or ignore into {} ({}, in_group) select {}, {BIND} from {} as kept where {}",
        table.own("shown"),
        table.ids(""),
        table.ids("kept."),
        table.name(),
        table.has_id("kept")
    );
    let id = id.iter().cloned().map(Bind);
    query::execute(conn, &sql, [Bind::text(group)].into_iter().chain(id))?;
    Ok(())
}

/// The group no longer shows what is staged as gone. What another one shows stays.
pub(super) fn forget(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    group: &str,
    staging: Staging,
) -> Result<(), ReplicaError> {
    let (shown, gone) = (table.own("shown"), table.staged(staging.gone));
    Ok(conn.batch_execute(&format!(
        "delete from {shown} where in_group = {} and {};
delete from {gone} where {}",
        literal(group),
        table.is_among("", &gone),
        table.is_among("", &shown),
    ))?)
}

/// The group shows nothing any more.
pub(super) fn forget_all(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    group: &str,
) -> Result<(), ReplicaError> {
    if is_shared(conn, table, group)? {
        let sql = format!("delete from {} where in_group = {BIND}", table.own("shown"));
        query::execute(conn, &sql, [Bind::text(group)])?;
    }
    Ok(())
}

/// The server refused an edit of a row that only other groups show: they download it again, from the beginning, because nobody else knows
/// what it holds.
pub(super) fn ask_again(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    group: &str,
    id: &[Stored],
) -> Result<(), ReplicaError> {
    let others = format!(
        "(select in_group from {} as shown where {} and in_group <> {BIND})",
        table.own("shown"),
        table.has_id("shown")
    );
    let binds = || id.iter().cloned().map(Bind).chain([Bind::text(group)]);
    Ok(token::forget_where(
        conn,
        |name| format!("{name} in {others}"),
        binds,
    )?)
}
