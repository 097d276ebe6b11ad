//! Rows of the server's that this replica can't show: it keeps what it has of them, and tries again when the program may know more.

use super::error::ReplicaError;
use super::file::Store;
use super::message::News;
use super::query::{self, BIND, Bind, Stored, as_integer, as_text, exists};
use super::refused::refusal;
use super::rows::admit;
use super::section::Travelled;
use super::show::DOWNLOADED;
use super::table::ReplicaTable;
use crate::download::unreadable::id_in;
use crate::wire::{SqliteValue, UNSENT, WireError};
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value};

/// A row that can't be shown.
pub(super) struct Unread {
    /// What is wrong, and of which row.
    error: WireError,
    /// The row as it came, NULL where it went; none where the server could not send it.
    row: Option<Value>,
    /// It is the device's own table that refuses it.
    is_refused: bool,
}

impl Unread {
    /// A row that the server could not send.
    pub(super) fn told(error: WireError) -> Self {
        Unread {
            error,
            row: None,
            is_refused: false,
        }
    }

    /// A row that is gone, and that the device's table doesn't let go.
    pub(super) fn remains(error: WireError) -> Self {
        Unread {
            error,
            row: Some(Value::Null),
            is_refused: true,
        }
    }

    /// A row that the device's table refuses: what the database `said`.
    pub(super) fn refused(table: &ReplicaTable, row: Map<String, Value>, said: &str) -> Self {
        Unread {
            is_refused: true,
            ..Self::answered(table, row, refusal(table, said))
        }
    }

    /// A row that came, and that the model can't read.
    pub(super) fn came(table: &ReplicaTable, row: &[Option<Value>], error: WireError) -> Self {
        let named = table.definition.downloaded().zip(row);
        let given = named.filter_map(|(column, value)| Some((column.name.clone(), value.clone()?)));
        Self::answered(table, given.collect(), error)
    }

    /// The same of a row that came with an outcome.
    pub(super) fn answered(
        table: &ReplicaTable,
        row: Map<String, Value>,
        error: WireError,
    ) -> Self {
        let error = match id_in(table.definition, &row) {
            Some(id) => error.of(id),
            None => error,
        };
        Unread {
            error,
            row: Some(Value::Object(row)),
            is_refused: false,
        }
    }

    /// Keeps it until it can be shown, is another one or goes.
    pub(super) fn keep(
        &self,
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
    ) -> Result<(), ReplicaError> {
        let id = self.error.id.clone().unwrap_or_default();
        let row = self.row.as_ref().map(Value::to_string);
        let (key, binds) = match table.admit_id(&id) {
            Ok(parts) => (vec![format!("quote({BIND})"); parts.len()], parts),
            // No row of this table has it.
            Err(_) => (
                vec![BIND.to_owned()],
                vec![Some(SqliteValue::Text(id.to_string()))],
            ),
        };
        let sql = format!(
            "insert or replace into carburetor_unreadable (key, of_table, id, row, field, message, refused) values ({}, {BIND}, {BIND}, {BIND}, {BIND}, {BIND}, {BIND})",
            key.join(" || ',' || ")
        );
        let said = [
            Bind::text(table.place(DOWNLOADED.rows)),
            Bind::text(id.to_string()),
            Bind(row.map(SqliteValue::Text)),
            Bind::text(&self.error.column),
            Bind::text(&self.error.message),
            Bind::integer(self.is_refused.into()),
        ];
        query::execute(conn, &sql, binds.into_iter().map(Bind).chain(said))?;
        Ok(())
    }
}

/// The rows of a section that the model can read, and the others. One that lacks a column which the model needs is an error.
pub(super) fn readable(
    table: &ReplicaTable,
    rows: &[Travelled],
) -> Result<(Vec<Vec<Stored>>, Vec<Unread>), ReplicaError> {
    let (mut read, mut unread) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match admit(table, row) {
            Ok(row) => read.push(row),
            Err(error) => {
                let came = Unread::came(table, row, error);
                // No row is readable then.
                if came.error.message == UNSENT {
                    return Err(ReplicaError::Unsent {
                        table: came.error.table,
                        column: came.error.column,
                    });
                }
                unread.push(came);
            }
        }
    }
    Ok((read, unread))
}

/// What tells the rows of `table` from each other, the id's columns being behind `prefix`.
fn key(table: &ReplicaTable, prefix: &str) -> String {
    let parts = table.definition.ids();
    let parts: Vec<String> = parts
        .map(|id| format!("quote({prefix}{})", id.quoted()))
        .collect();
    parts.join(" || ',' || ")
}

fn any(conn: &mut SqliteConnection, table: &ReplicaTable) -> QueryResult<bool> {
    let sql = format!("select 1 from carburetor_unreadable where of_table = {BIND} limit 1");
    exists(conn, &sql, [Bind::text(table.place(DOWNLOADED.rows))])
}

/// A page is staged: those of its rows that can be shown, and those that went, are no longer kept. `last` is the last row that was staged before.
pub(super) fn follow(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    news: &News,
    last: i64,
) -> Result<(), ReplicaError> {
    if any(conn, table)? {
        let all = if news.reset { "true" } else { "false" };
        let [staged, gone] = [DOWNLOADED.rows, DOWNLOADED.gone].map(|kind| table.staged(kind));
        let key = key(table, "");
        let sql = format!(
            "delete from carburetor_unreadable where of_table = {BIND} and ({all} \
             or key in (select {key} from {staged} where carburetor_seq > {BIND} union all select {key} from {gone}))"
        );
        let binds = [
            Bind::text(table.place(DOWNLOADED.rows)),
            Bind::integer(last),
        ];
        query::execute(conn, &sql, binds)?;
    }
    if news.anew {
        let nameless = format!(
            "delete from carburetor_unreadable where of_table = {BIND} and id = 'null' and row is null"
        );
        query::execute(conn, &nameless, [Bind::text(table.place(DOWNLOADED.rows))])?;
    }
    for unread in &news.unreadable {
        unread.keep(conn, table)?;
    }
    Ok(())
}

/// Rows that hold this value leave: what is kept of them goes, too. What one held that the server could not send, the older version in the
/// table says, whose column is `of_server`.
pub(super) fn leave(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    (number, column): (usize, &str),
    value: &Value,
    of_server: &str,
) -> Result<(), ReplicaError> {
    if !any(conn, table)? {
        return Ok(());
    }
    let of_table = || Bind::text(table.place(DOWNLOADED.rows));
    let stored = (table.admit)(number, value)?;
    let ids = table.ids("");
    let sql = format!(
        "select rowid, row from carburetor_unreadable where of_table = {BIND} and row is not null"
    );
    for row in query::rows(conn, &sql, [of_table()])? {
        let came: Map<String, Value> = serde_json::from_str(&as_text(&row[1])).unwrap_or_default();
        let is_left = came.get(column).is_some_and(|held| {
            held == value || (table.admit)(number, held).is_ok_and(|held| held == stored)
        });
        if is_left {
            let older = format!(
                "insert or ignore into {} ({ids}) select {ids} from {} where {} = (select key from carburetor_unreadable where rowid = {BIND})",
                table.staged(DOWNLOADED.gone),
                table.name(),
                key(table, ""),
            );
            query::execute(conn, &older, [Bind::integer(as_integer(&row[0]))])?;
            let forget = format!("delete from carburetor_unreadable where rowid = {BIND}");
            query::execute(conn, &forget, [Bind::integer(as_integer(&row[0]))])?;
        }
    }
    let sql = format!(
        "delete from carburetor_unreadable where of_table = {BIND} and not exists (select 1 from json_each(row) as held where held.key = {BIND}) \
         and key in (select {} from {} where {of_server} is {BIND} collate binary and ({ids}) not in (select {ids} from {}))",
        key(table, ""),
        table.name(),
        table.staged(DOWNLOADED.rows),
    );
    query::execute(conn, &sql, [of_table(), Bind::text(column), Bind(stored)])?;
    Ok(())
}

/// A condition on a row of the table: there is no newer version of it that can't be shown.
pub(super) fn is_readable(table: &ReplicaTable) -> String {
    format!(
        "{} not in (select key from carburetor_unreadable where of_table = {})",
        key(table, ""),
        crate::table::literal(&table.place(DOWNLOADED.rows))
    )
}

impl Store {
    /// What can't be shown.
    pub(super) fn unreadable(
        &self,
        conn: &mut SqliteConnection,
    ) -> Result<Vec<WireError>, ReplicaError> {
        let mut all = Vec::new();
        for table in &self.tables {
            let sql = format!(
                "select id, field, message from carburetor_unreadable where of_table = {BIND} order by rowid"
            );
            for row in query::rows(conn, &sql, [Bind::text(table.place(DOWNLOADED.rows))])? {
                let error = WireError::new(as_text(&row[2]));
                let id: Value = serde_json::from_str(&as_text(&row[0])).unwrap_or_default();
                let error = error.at(&table.definition.wire_name, &as_text(&row[1]));
                all.push(match id.is_null() {
                    true => error,
                    false => error.of(id),
                });
            }
        }
        Ok(all)
    }

    /// How much can't be shown.
    pub(super) fn count_unreadable(&self, conn: &mut SqliteConnection) -> QueryResult<u64> {
        let mut count = 0;
        for table in &self.tables {
            let sql = format!("select count(*) from carburetor_unreadable where of_table = {BIND}");
            let of_table = [Bind::text(table.place(DOWNLOADED.rows))];
            count += as_integer(&query::value(conn, &sql, of_table)?);
        }
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
