//! What of a rejected change the device has edited since.

use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, BIND, Bind, Stored, as_text};
use super::rejected::{OWN, Rejected};
use super::schema::LAST_CLOCK;
use super::table::ReplicaTable;
use crate::change::{Change, Edit};
use crate::upload::unit;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use std::collections::BTreeSet;

/// The clock of what a kept change edited, which is older than the change's own where that was tried again before.
const MADE: &str = "coalesce(made, change ->> '$.clock')";

/// The same of a change, or of an entry, that waits with the clock `clock`; NULL where it is as old as that.
pub(super) fn made(clock: &str) -> String {
    format!("(select made from carburetor_retried as retried where retried.clock = {clock})")
}

/// What stands on top of a rejected change: columns that were edited since, and whether the row itself was inserted or deleted.
pub(super) struct Since {
    columns: BTreeSet<String>,
    pub(super) is_of_row: bool,
}

impl Since {
    /// Of the row with this id. What is decided on was noted by [`overtake`]; what isn't waits.
    pub(super) fn read(
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
        seq: i64,
        id: &[Stored],
    ) -> QueryResult<Self> {
        let edited = format!(
            "select value from carburetor_rejected, json_each(overtaken) where seq = {BIND}
union select carburetor_column from {} as entry where {}
  and coalesce({}, carburetor_clock) > (select {MADE} from carburetor_rejected where seq = {BIND})",
            table.own("outbox"),
            table.has_id("entry"),
            made("entry.carburetor_clock"),
        );
        let seq = || Bind::integer(seq);
        let id = id.iter().cloned().map(Bind);
        let edited = query::rows(conn, &edited, [seq()].into_iter().chain(id).chain([seq()]))?;
        let mut columns: BTreeSet<String> = edited.iter().map(|name| as_text(&name[0])).collect();
        // What is resolved together was written together.
        let together: Vec<&str> = unit(table.definition)
            .map(|column| column.name.as_str())
            .collect();
        if together.iter().any(|name| columns.contains(*name)) {
            columns.extend(together.into_iter().map(str::to_owned));
        }
        let is_of_row = columns.remove("");
        Ok(Since { columns, is_of_row })
    }

    pub(super) fn has_any(&self) -> bool {
        self.is_of_row || !self.columns.is_empty()
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.is_of_row || self.columns.contains(column)
    }
}

/// Takes note that a change of the device's was decided on, whatever came of it: what was rejected of the row before is older.
pub(super) fn overtake(
    conn: &mut SqliteConnection,
    store: &Store,
    change: &Change,
) -> Result<(), ReplicaError> {
    let of_row = format!("{OWN} and of_table = {BIND} and id = {BIND}");
    let binds = || {
        let row = [change.table.clone(), change.id.to_string()];
        store.own().into_iter().chain(row.map(Bind::text))
    };
    let kept = format!("select 1 from carburetor_rejected where {of_row} limit 1");
    if !query::exists(conn, &kept, binds())? {
        return Ok(());
    }
    let columns: Vec<&str> = match &change.edit {
        Edit::Update(columns) => columns.keys().map(String::as_str).collect(),
        Edit::Insert(_) | Edit::Delete => vec![""],
    };
    let clock = change.clock.to_string();
    let note = format!(
        "update carburetor_rejected set overtaken = (select json_group_array(value) from
    (select value from json_each(coalesce(overtaken, '[]')) union select value from json_each({BIND})))
  where {of_row} and {MADE} < coalesce({}, {BIND})",
        made(BIND)
    );
    let binds = [Bind::json(&columns)?].into_iter().chain(binds());
    let clocks = [&clock, &clock].map(Bind::text);
    query::execute(conn, &note, binds.chain(clocks))?;
    Ok(())
}

/// The clocks of what waits are about to be others, lower ones perhaps: what was rejected stays older than what waits.
pub(super) fn renew(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(&format!(
        "update carburetor_rejected set made = min({MADE}, {LAST_CLOCK});
update carburetor_retried set made = min(made, {LAST_CLOCK})"
    ))
}

/// Notes that what waits of the row since the clock `before` is as old as the rejected change.
pub(super) fn note(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    rejected: &Rejected,
    id: &[Stored],
    before: &str,
) -> QueryResult<()> {
    let outbox = table.own("outbox");
    // Of those before, some wait no longer.
    query::execute(
        conn,
        &format!(
            "delete from carburetor_retried where of_table = {BIND} and clock not in (select carburetor_clock from {outbox})
  and clock not in (select clock from carburetor_sending) and clock not in (select clock from carburetor_held_change)"
        ),
        [Bind::text(&table.definition.table)],
    )?;
    let again = format!(
        "insert or replace into carburetor_retried (clock, of_table, made)
select waiting.clock, {BIND}, (select {MADE} from carburetor_rejected where seq = {BIND}) from
  (select carburetor_clock as clock from {outbox} as entry where {}
   union select clock from carburetor_sending where of_table = {BIND} and id = {BIND}) as waiting where waiting.clock > {BIND}",
        table.has_id("entry")
    );
    let change = &rejected.change;
    let of_table = [
        Bind::text(&table.definition.table),
        Bind::integer(rejected.seq),
    ];
    let id = id.iter().cloned().map(Bind);
    let sending = [&change.table, &change.id.to_string(), before].map(Bind::text);
    query::execute(conn, &again, of_table.into_iter().chain(id).chain(sending))?;
    Ok(())
}
