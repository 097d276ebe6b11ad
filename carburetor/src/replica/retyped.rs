//! Whether columns have other types than when the replica's own tables were made, which took the affinities over. What is kept under another affinity may be
//! another value: `007` as an integer is 7.

use super::query::{self, BIND, Bind, Stored};
use super::table::ReplicaTable;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// A table of the connection's own, which is there for a moment.
const PROBE: &str = "carburetor_affinities";

/// Whether what lies beside the table has other columns or types than the table has now.
pub(super) fn is_stale(conn: &mut SqliteConnection, table: &ReplicaTable) -> QueryResult<bool> {
    differs(conn, table, "held", &table.columns(""))
}

/// The same of the outbox, and the ids alone.
pub(super) fn are_ids_stale(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> QueryResult<bool> {
    differs(conn, table, "outbox", &table.ids(""))
}

/// Whether the first columns of the replica's table of this kind are others than the user's table would give.
fn differs(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    kind: &str,
    columns: &str,
) -> QueryResult<bool> {
    conn.batch_execute(&format!(
        "create temp table {PROBE} as select {columns} from {} where 0",
        table.name()
    ))?;
    let wanted = types(conn, PROBE)?;
    let found = types(conn, &table.object(kind))?;
    conn.batch_execute(&format!("drop table temp.{PROBE}"))?;
    Ok(!found.is_empty() && !found.starts_with(&wanted))
}

fn types(conn: &mut SqliteConnection, table: &str) -> QueryResult<Vec<Vec<Stored>>> {
    let sql = format!("select name, type from pragma_table_info({BIND}) order by cid");
    query::rows(conn, &sql, [Bind::text(table)])
}
