//! The rest of a row: what no change of it says, because it doesn't travel or can't.

use super::error::ReplicaError;
use super::query::{self, BIND, Bind, ReplicaRow, Stored, applying, as_text};
use super::table::ReplicaTable;
use crate::hex::{hex, unhex};
use crate::table::quoted;
use crate::wire::SqliteValue;
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Columns of a row, each as its class and what it holds: numbers in digits, all else in hexadecimal ones.
#[derive(Default)]
pub(super) struct Rest(BTreeMap<String, String>);

/// The columns of the table that never travel: local ones, and those of which the model knows nothing.
pub(super) fn local(conn: &mut SqliteConnection, table: &ReplicaTable) -> QueryResult<Vec<String>> {
    let columns = format!("select name from pragma_table_xinfo({BIND}) where hidden = 0");
    let columns = query::rows(conn, &columns, [Bind::text(&table.definition.table)])?;
    let travels = |name: &String| {
        let mut downloaded = table.definition.downloaded();
        downloaded.any(|column| column.name.eq_ignore_ascii_case(name))
    };
    let names = columns.iter().map(|name| as_text(&name[0]));
    // Registers are the tracking's, of a hub.
    let is_own = |name: &String| !name.starts_with("carburetor_");
    Ok(names.filter(is_own).filter(|name| !travels(name)).collect())
}

/// The columns of the row `alias`, as [`Rest::read`] reads them.
pub(super) fn typed(columns: &[String], alias: &str) -> String {
    let typed = columns.iter().map(|name| {
        let value = format!("{alias}.{}", quoted(name));
        format!(
            "typeof({value}) || ':' || case typeof({value}) when 'integer' then {value} when 'real' then printf('%!.17g', {value}) else hex({value}) end"
        )
    });
    typed.collect::<Vec<_>>().join(", ")
}

impl Rest {
    /// The columns of a query's row that [`typed`] has selected from this place on.
    pub(super) fn read(columns: &[String], row: &dyn ReplicaRow, place: usize) -> Self {
        let values = (place..).map(|place| as_text(&row.stored(place)));
        Rest(columns.iter().cloned().zip(values).collect())
    }

    /// What the row of this id holds in these columns; nothing where it is gone.
    pub(super) fn of_row(
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
        columns: &[String],
        id: &[Stored],
    ) -> QueryResult<Self> {
        let mut rest = Rest::default();
        if columns.is_empty() {
            return Ok(rest);
        }
        let sql = format!(
            "select {} from {} as kept where {}",
            typed(columns, "kept"),
            table.name(),
            table.has_id("kept")
        );
        query::each(conn, &sql, id.iter().cloned().map(Bind), |row| {
            rest = Rest::read(columns, row, 0);
            QueryResult::Ok(())
        })?;
        Ok(rest)
    }

    /// Keeps these columns only.
    pub(super) fn retain(&mut self, keeps: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| keeps(name));
    }

    pub(super) fn of_text(text: &str) -> Self {
        Rest(serde_json::from_str(text).unwrap_or_default())
    }

    pub(super) fn to_text(&self) -> String {
        json!(self.0).to_string()
    }

    /// Writes what never travels into the row of this id.
    pub(super) fn give(
        &self,
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
        id: &[Stored],
    ) -> Result<(), ReplicaError> {
        let (mut set, mut binds) = (Vec::new(), Vec::new());
        for name in local(conn, table)? {
            let Some(kept) = self.0.get(&name) else {
                continue;
            };
            let (value, bind) = match Kept::of(kept) {
                // No string of Rust's is such a text.
                Kept::OddText(bytes) => (
                    format!("cast({BIND} as text)"),
                    Some(SqliteValue::Blob(bytes)),
                ),
                Kept::Value(value) => (BIND.to_owned(), value),
            };
            set.push(format!("{} = {value}", quoted(&name)));
            binds.push(Bind(bind));
        }
        if set.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "update {} as kept set {} where {}",
            table.name(),
            set.join(", "),
            table.has_id("kept")
        );
        let binds = binds.into_iter().chain(id.iter().cloned().map(Bind));
        applying(conn, |conn| query::execute(conn, &sql, binds))?;
        Ok(())
    }

    /// The values for people: bytes, and text that isn't UTF-8, in hexadecimal digits.
    pub(super) fn shown(&self) -> Map<String, Value> {
        let shown = self.0.iter().map(|(name, kept)| {
            let bytes = |kind: &str, bytes: &[u8]| json!({ kind: hex(bytes) });
            let value = match Kept::of(kept) {
                Kept::OddText(text) => bytes("text", &text),
                Kept::Value(Some(SqliteValue::Blob(blob))) => bytes("blob", &blob),
                Kept::Value(Some(SqliteValue::Integer(number))) => json!(number),
                Kept::Value(Some(SqliteValue::Real(number))) if number.is_finite() => json!(number),
                Kept::Value(Some(SqliteValue::Real(number))) => {
                    json!({ "real": number.to_string() })
                }
                Kept::Value(Some(SqliteValue::Text(text))) => json!(text),
                Kept::Value(None) => Value::Null,
            };
            (name.clone(), value)
        });
        shown.collect()
    }
}

/// A value that was kept.
enum Kept {
    Value(Stored),
    /// Text that isn't UTF-8.
    OddText(Vec<u8>),
}

impl Kept {
    fn of(kept: &str) -> Self {
        let (kind, said) = kept.split_once(':').unwrap_or_default();
        Kept::Value(match kind {
            "integer" => said.parse().ok().map(SqliteValue::Integer),
            "real" => said.parse().ok().map(SqliteValue::Real),
            "blob" => Some(SqliteValue::Blob(unhex(said))),
            "text" => match String::from_utf8(unhex(said)) {
                Ok(text) => Some(SqliteValue::Text(text)),
                Err(error) => return Kept::OddText(error.into_bytes()),
            },
            _ => None,
        })
    }
}
