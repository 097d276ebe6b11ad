//! Another try at what could not be shown: the program may know more, or its table take more.

use super::broken::broken;
use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, BIND, Bind, Stored, as_integer, as_text};
use super::rows::{admit, travelled, write_ids, write_rows};
use super::show::{DOWNLOADED, KEPT, show};
use super::table::ReplicaTable;
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value};

/// How many of a table are tried with a download, those that have waited longest.
const SOME: u32 = 64;

/// Puts what the table has refused behind all else that is kept.
const LAST: &str = "update carburetor_unreadable set rowid = (select max(rowid) + 1 from carburetor_unreadable) where refused and rowid = \u{1}";

impl Store {
    /// Tries all that is kept, because the program, or its table, may be another one. The caller has a transaction.
    pub(super) fn read_again(&self, conn: &mut SqliteConnection) -> Result<(), ReplicaError> {
        self.tables
            .iter()
            .try_for_each(|table| self.again(conn, table, ""))
    }

    /// Tries some of what the table has refused: what stood in its way may have gone.
    pub(super) fn show_again(
        &self,
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
    ) -> Result<(), ReplicaError> {
        self.again(
            conn,
            table,
            &format!(" and refused order by rowid limit {SOME}"),
        )
    }

    fn again(
        &self,
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
        which: &str,
    ) -> Result<(), ReplicaError> {
        let sql = format!(
            "select rowid, row, id from carburetor_unreadable where of_table = {BIND} and row is not null{which}"
        );
        let kept = query::rows(conn, &sql, [Bind::text(table.place(DOWNLOADED.rows))])?;
        if kept.is_empty() {
            return Ok(());
        }
        if let Some(error) = broken(conn, table)? {
            tracing::warn!(%error, "what the table has refused waits");
            return Ok(());
        }
        let mut is_staged = false;
        for kept in kept {
            let [number, row, id] = &kept[..] else {
                continue;
            };
            let place = Bind::integer(as_integer(number));
            match serde_json::from_str(&as_text(row)) {
                Ok(Value::Object(came)) => {
                    let Ok(values) = admit(table, &travelled(table, came.clone())) else {
                        // It keeps no other one from being tried.
                        query::execute(conn, LAST, [place])?;
                        continue;
                    };
                    if !is_older(conn, table, &came, &values)? {
                        write_rows(conn, table, &table.staged(KEPT.rows), &[values])?;
                    }
                }
                Ok(Value::Null) => {
                    let id: Value = serde_json::from_str(&as_text(id)).unwrap_or_default();
                    // Where ids have another type by now, no row has this one.
                    if let Ok(id) = table.admit_id(&id) {
                        write_ids(conn, table, &table.staged(KEPT.gone), &[id])?;
                    }
                }
                _ => continue,
            }
            is_staged = true;
            let forget = format!("delete from carburetor_unreadable where rowid = {BIND}");
            query::execute(conn, &forget, [place])?;
        }
        if is_staged {
            show(conn, self, table, KEPT)?;
        }
        Ok(())
    }
}

/// Whether the table shows what the server has said of the row since.
fn is_older(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    came: &Map<String, Value>,
    values: &[Stored],
) -> Result<bool, ReplicaError> {
    let Some(stamp) = table.stamp() else {
        return Ok(false);
    };
    let Some((number, _)) = table.column(&stamp.name) else {
        return Ok(false);
    };
    if !came.contains_key(&stamp.name) {
        return Ok(false);
    }
    let (from, column) = match table.is_hub {
        true => (table.own("upstream"), "stamp".to_owned()),
        false => (table.name(), stamp.quoted()),
    };
    let id: Vec<Stored> = table
        .definition
        .downloaded()
        .zip(values)
        .filter(|(column, _)| column.id)
        .map(|(_, value)| value.clone())
        .collect();
    let mut instants = Vec::new();
    let sql = format!(
        "select {BIND} union all select shown.{column} from {from} as shown where {}",
        table.has_id("shown")
    );
    let binds = [Bind(values[number].clone())]
        .into_iter()
        .chain(id.into_iter().map(Bind));
    query::each(conn, &sql, binds, |row| {
        instants.push(row.instant(0, stamp.storage)?);
        QueryResult::Ok(())
    })?;
    Ok(matches!(instants[..], [Some(kept), Some(shown)] if shown > kept))
}
