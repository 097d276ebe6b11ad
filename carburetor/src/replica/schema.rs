//! The tables that a replica keeps for itself in its file.

mod shared;

pub(super) use shared::share;

use super::below;
use super::dropped;
use super::error::ReplicaError;
use super::hub;
use super::query::{self, BIND, Bind, as_text};
use super::retyped;
use super::show::{ANSWERED, DOWNLOADED};
use super::shown;
use super::stretch;
use super::table::ReplicaTable;
use super::token;
use crate::table::{literal, quoted};
use crate::tracking::sqlite::SYSTEM_TIME;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;
use shared::{NUMBER, add};

/// The time now in milliseconds since 1970, as SQL over `carburetor_replica`.
pub(super) fn now_ms() -> String {
    format!("(coalesce(now_ms, {SYSTEM_TIME} / 1000) + offset_ms)")
}

/// Moves the clock on: to the time, or by one.
pub(super) fn tick() -> String {
    format!(
        "update carburetor_replica set clock = max(clock + 1, {} << 16);",
        now_ms()
    )
}

/// The clock that was given out last.
pub(super) const LAST_CLOCK: &str = "(select printf('%016x', clock) || id from carburetor_replica)";

/// Makes what `table` needs, and notes that it is one of the group's. The user's table is there.
pub(super) fn install(
    conn: &mut SqliteConnection,
    table: &mut ReplicaTable,
    group: &str,
) -> Result<(), ReplicaError> {
    let definition = table.definition;
    let number = format!("select number from carburetor_group where name = {BIND}");
    let number = query::as_integer(&query::value(conn, &number, [Bind::text(group)])?);
    if number > 1 {
        table.shelf = number.to_string();
    }
    let ids: Vec<&str> = definition.ids().map(|id| id.name.as_str()).collect();
    let columns: Vec<&str> = definition
        .downloaded()
        .map(|column| column.name.as_str())
        .collect();
    let shape = serde_json::json!([ids, columns, table.takes_no_writes()]).to_string();
    let known = format!(
        "select in_group, shape from carburetor_replicated where name = {BIND} order by seq"
    );
    let known = query::rows(conn, &known, [Bind::text(&definition.table)])?;
    let is_own = |row: &&Vec<query::Stored>| as_text(&row[0]) == group;
    let is_stale = retyped::is_stale(conn, table)?;
    match known.iter().find(is_own) {
        Some(own) if own[1].is_some() && as_text(&own[1]) == shape && !is_stale => {}
        Some(own) if own[1].is_some() => {
            keep_ids(conn, table, &shape, &as_text(&own[1]))?;
            renew(conn, table, group)?;
            // The program has another model now; the other groups over the table begin anew when they are opened.
            let unknown =
                format!("update carburetor_replicated set shape = null where name = {BIND}");
            query::execute(conn, &unknown, [Bind::text(&definition.table)])?;
        }
        own => {
            let unlike = known
                .iter()
                .find(|row| row[1].is_some() && as_text(&row[1]) != shape);
            if let Some(other) = unlike {
                return Err(ReplicaError::table(
                    definition,
                    format!(
                        "the group `{}` of this file has the table with another model: use one model in both, or replicate the groups into two files",
                        as_text(&other[0])
                    ),
                ));
            }
            if own.is_some() {
                renew(conn, table, group)?;
            }
        }
    }
    table.owner = known
        .first()
        .map_or_else(|| group.to_owned(), |first| as_text(&first[0]));
    if table.owner == group {
        let own = known.iter().find(is_own);
        let columns = own.map(|own| columns_of(own)).unwrap_or_default();
        dropped::tell(conn, table, &columns)?;
    }
    table.is_hub = hub::is_hub(conn, table)?;
    hub::install(conn, table)?;
    if table.owner != group {
        shown::share(conn, table, &table.owner)?;
    }
    stage(conn, table)?;
    outbox(conn, table)?;
    conn.batch_execute(&format!(
        "insert into carburetor_replicated (name, in_group, shape) values ({}, {}, {}) on conflict (name, in_group) do update set shape = excluded.shape",
        literal(&definition.table),
        literal(group),
        literal(&shape),
    ))?;
    Ok(())
}

/// The columns that a table's model had, as far as they were noted.
fn columns_of(noted: &[query::Stored]) -> Vec<String> {
    let shape: Option<(Value, Vec<String>, Value)> = serde_json::from_str(&as_text(&noted[1])).ok();
    shape.map(|(_, columns, _)| columns).unwrap_or_default()
}

/// The outbox is of the ids that the table had before.
fn keep_ids(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    shape: &str,
    known: &str,
) -> Result<(), ReplicaError> {
    let same = format!("select {BIND} ->> '$[0]' = {BIND} ->> '$[0]'");
    let same = query::value(conn, &same, [shape, known].map(Bind::text))?;
    if query::as_integer(&same) != 0 && !retyped::are_ids_stale(conn, table)? {
        return Ok(());
    }
    let outbox = table.own("outbox");
    if query::exists(conn, &format!("select 1 from {outbox} limit 1"), [])? {
        return Err(ReplicaError::table(
            table.definition,
            "its id has other columns, or columns of other types, than before, and there are changes that wait for the server: upload them \
             with the version of the program that made them, before the table is altered"
                .into(),
        ));
    }
    Ok(conn.batch_execute(&format!(
        "drop table {outbox}; drop table if exists {}; drop table if exists {}; drop table if exists {}",
        table.own("shown"),
        table.own("upstream"),
        table.own("below")
    ))?)
}

/// The table has other columns, or columns of other types, than the replica's own were made for: pages on their way begin anew, and so does the download, because the
/// server has more to say of each row.
fn renew(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    group: &str,
) -> Result<(), ReplicaError> {
    let staged = [DOWNLOADED, ANSWERED].map(|staging| [staging.rows, staging.gone]);
    let staged = staged.concat();
    let kept = staged
        .iter()
        .map(|kind| table.staged(kind))
        .chain(["held", "below"].map(|kind| table.own(kind)));
    let kept: String = kept
        .map(|kept| format!("drop table if exists {kept};"))
        .collect();
    conn.batch_execute(&kept)?;
    Ok(token::forget(conn, group)?)
}

/// The registers of what is unsent or in flight. `carburetor_sent`: 0 unsent, 1 in flight, 2 unsent while an earlier state is in flight.
/// `carburetor_from` and `carburetor_was_at`: see [`moved`](super::moved).
///
/// CREATE TABLE AS takes the affinities over, so that ids compare as they do in the table.
fn outbox(conn: &mut SqliteConnection, table: &ReplicaTable) -> QueryResult<()> {
    let outbox = table.own("outbox");
    conn.batch_execute(&format!(
        "create table if not exists {outbox} as select {ids}, '' as carburetor_column, '' as carburetor_kind, '' as carburetor_clock,
  null as carburetor_base, null as carburetor_was, cast(0 as integer) as carburetor_sent from {name} where 0;
create unique index if not exists {unique} on {outbox} ({ids}, carburetor_column);
create index if not exists {unsent} on {outbox} (carburetor_clock) where carburetor_sent <> 1",
        ids = table.ids(""),
        name = table.name(),
        unique = table.own("outbox_id"),
        unsent = table.own("outbox_unsent"),
    ))?;
    for column in ["carburetor_since", "carburetor_stretch"] {
        add(conn, &table.object("outbox"), column, NUMBER)?;
    }
    for column in ["carburetor_from", "carburetor_was_at"] {
        add(conn, &table.object("outbox"), column, "text")?;
    }
    conn.batch_execute(&stretch::indexes(table))
}

/// Rows and ids before they are shown, of a download and of an answer, and the row that a REPLACE is about to delete (`held`).
///
/// Rows that are downloaded lie in the order in which they came, without a key. CREATE TABLE AS can't number them, so that it is `held` that says which
/// affinities there are.
fn stage(conn: &mut SqliteConnection, table: &ReplicaTable) -> QueryResult<()> {
    let (ids, columns, name) = (table.ids(""), table.columns(""), table.name());
    let kinds = [
        (ANSWERED.rows, &columns),
        (ANSWERED.gone, &ids),
        (DOWNLOADED.gone, &ids),
    ];
    let mut text: String = kinds
        .map(|(kind, columns)| {
            let [own, unique] = [table.staged(kind), table.staged(&format!("{kind}_id"))];
            format!(
                "create table if not exists {own} as select {columns} from {name} where 0;
create unique index if not exists {unique} on {own} ({ids});
"
            )
        })
        .concat();
    text += &format!(
        "create table if not exists {} as select {columns} from {name} where 0;\n",
        table.own("held")
    );
    text += &below::made(table);
    conn.batch_execute(&text)?;
    let typed = query::rows(
        conn,
        &format!("select name, type from pragma_table_info({BIND}) order by cid"),
        [Bind::text(table.object("held"))],
    )?;
    let typed: String = typed
        .iter()
        .map(|row| format!(", {} {}", quoted(&as_text(&row[0])), as_text(&row[1])))
        .collect();
    conn.batch_execute(&format!(
        "create table if not exists {} (carburetor_seq integer primary key{typed})",
        table.staged(DOWNLOADED.rows)
    ))
}
