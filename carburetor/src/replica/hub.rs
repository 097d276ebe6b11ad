//! A replica's file that serves other devices. The stamps in its tables are of its own then, so that those of the server, on which edits are
//! based, lie beside them.

use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, BIND, Bind, Stored};
use super::show::Staging;
use super::table::ReplicaTable;
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::register::COLUMN;
use crate::tracking::sqlite::NEW_ORIGIN;
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::sqlite::{Sqlite, SqliteConnection};
use serde_json::Value;

/// Whether the table is tracked in this file, and takes edits.
pub(super) fn is_hub(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> Result<bool, ReplicaError> {
    Ok(table.stamp().is_some() && query::has_column(conn, &table.definition.table, COLUMN)?)
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
        "create table if not exists {upstream} as select {ids}, {} as stamp, cast(0 as integer) as shown from {} where 0;
create unique index if not exists {} on {upstream} ({ids})",
        stamp.quoted(),
        table.name(),
        table.own("upstream_id"),
    ))?)
}

/// A copied file is another server to its devices: each copy goes on by itself.
pub(super) fn renew(conn: &mut SqliteConnection, store: &Store) -> Result<(), ReplicaError> {
    let known = "select 1 from pragma_table_info('carburetor_clock') where name = 'origin'";
    match store.is_hub() && query::exists(conn, known, [])? {
        true => Ok(conn.batch_execute(NEW_ORIGIN)?),
        false => Ok(()),
    }
}

/// Keeps the server's stamps of what is staged, and that whoever saw a row from now on has seen the server's.
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
        "delete from {upstream} where {};
insert into {upstream} ({ids}, stamp, shown)
  select {ids}, {}, (select now + 1 from carburetor_clock) from {} where true
  on conflict ({ids}) do update set stamp = excluded.stamp, shown = excluded.shown where stamp is not excluded.stamp",
        table.is_among("", &table.staged(staging.gone)),
        stamp.quoted(),
        table.staged(staging.rows)
    ))?)
}

/// Keeps the stamp that the server gave to a row with the change of this clock. Who saw what the change made of the row here has seen it.
pub(super) fn note_one(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
    stamp: &Stored,
    clock: Clock,
) -> Result<(), ReplicaError> {
    let Some(own) = table.stamp() else {
        return Ok(());
    };
    let ids = table.ids("");
    let marks = vec![BIND; id.len()].join(", ");
    let since = format!(
        "coalesce((select stamp from carburetor_relay where clock = {BIND}),
      (select cast({} as integer) from {} as kept where {}), (select now from carburetor_clock))",
        Sqlite::micros(&format!("kept.{}", own.quoted()), own.storage),
        table.name(),
        table.has_id("kept"),
    );
    let sql = format!(
        "insert into {} ({ids}, stamp, shown) values ({marks}, {BIND}, {since})
  on conflict ({ids}) do update set stamp = excluded.stamp, shown = excluded.shown",
        table.own("upstream"),
    );
    let binds = || id.iter().cloned().map(Bind);
    let given = [Bind(stamp.clone()), Bind::text(clock.to_string())];
    query::execute(conn, &sql, binds().chain(given).chain(binds()))?;
    Ok(())
}

/// The server's stamp of a row, if whoever saw the row when it had this stamp `here` has seen what the server had then.
pub(super) fn seen(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &Value,
    here: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, ReplicaError> {
    let (Some(stamp), true) = (table.stamp(), table.is_hub) else {
        return Ok(None);
    };
    let sql = format!(
        "select stamp from {} as upstream where {} and shown <= {BIND}",
        table.own("upstream"),
        table.has_id("upstream")
    );
    let id = table.admit_id(id)?.into_iter().map(Bind);
    let mut seen = None;
    let here = Bind::integer(here.timestamp_micros());
    query::each(conn, &sql, id.chain([here]), |row| {
        seen = row.instant(0, stamp.storage)?;
        Ok::<_, ReplicaError>(())
    })?;
    Ok(seen.and_then(DateTime::from_timestamp_micros))
}
