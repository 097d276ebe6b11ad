//! Statements on the replica's file, whose values are taken as SQLite stores them.

use crate::backend::SyncBackend;
use crate::statement::Statement;
use crate::upload::push_value;
use crate::wire::{SqliteValue, WireBackend, WireError};
use diesel::QueryResult;
use diesel::connection::{Connection, LoadConnection, SimpleConnection};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::row::{Field, Row};
use diesel::sqlite::{Sqlite, SqliteConnection, SqliteType};
use serde::Serialize;

/// A stored value; none is NULL.
pub(super) type Stored = Option<SqliteValue>;

/// A bind that arrives as it is.
pub(super) struct Bind(pub(super) Stored);

impl QueryFragment<Sqlite> for Bind {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push_value(self.0.as_ref(), &mut out)
    }
}

impl Bind {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Bind(Some(SqliteValue::Text(text.into())))
    }

    pub(super) fn integer(integer: i64) -> Self {
        Bind(Some(SqliteValue::Integer(integer)))
    }

    /// The JSON of `value`.
    pub(super) fn json(value: &impl Serialize) -> Result<Self, WireError> {
        let json = serde_json::to_string(value);
        json.map(Self::text)
            .map_err(|error| WireError::new(error.to_string()))
    }
}

/// Where a bind stands in the text of a statement. A quoted name can hold whatever else could stand for one.
pub(super) const BIND: &str = "\u{1}";

/// `sql` with a bind for every [`BIND`].
pub(super) fn bound(
    sql: &str,
    binds: impl IntoIterator<Item = Bind>,
) -> Statement<'static, Sqlite> {
    let mut statement = Statement::new();
    let mut pieces = sql.split(BIND);
    statement.sql(pieces.next().unwrap_or_default());
    for (piece, bind) in pieces.zip(binds) {
        statement.bind(bind).sql(piece);
    }
    statement
}

pub(super) fn execute(
    conn: &mut SqliteConnection,
    sql: &str,
    binds: impl IntoIterator<Item = Bind>,
) -> QueryResult<usize> {
    conn.execute_returning_count(&bound(sql, binds))
}

/// Hands each row of a query to `take`.
pub(super) fn each<E: From<diesel::result::Error>>(
    conn: &mut SqliteConnection,
    sql: &str,
    binds: impl IntoIterator<Item = Bind>,
    mut take: impl FnMut(&dyn ReplicaRow) -> Result<(), E>,
) -> Result<(), E> {
    for row in LoadConnection::load(conn, bound(sql, binds))? {
        take(&row?)?;
    }
    Ok(())
}

/// All rows of a query.
pub(super) fn rows(
    conn: &mut SqliteConnection,
    sql: &str,
    binds: impl IntoIterator<Item = Bind>,
) -> QueryResult<Vec<Vec<Stored>>> {
    let mut rows = Vec::new();
    each(conn, sql, binds, |row| {
        rows.push((0..row.width()).map(|column| row.stored(column)).collect());
        QueryResult::Ok(())
    })?;
    Ok(rows)
}

/// The first value of the first row; NULL without a row.
pub(super) fn value(
    conn: &mut SqliteConnection,
    sql: &str,
    binds: impl IntoIterator<Item = Bind>,
) -> QueryResult<Stored> {
    let first = rows(conn, sql, binds)?.into_iter().next();
    Ok(first.and_then(|row| row.into_iter().next().flatten()))
}

/// The first value of a statement's first row; NULL without a row.
pub(super) fn first(
    conn: &mut SqliteConnection,
    statement: Statement<'_, Sqlite>,
) -> QueryResult<Stored> {
    let mut rows = LoadConnection::load(conn, statement)?;
    let row = rows.next().transpose()?;
    Ok(row.and_then(|row| row.stored(0)))
}

/// Whether a query has a row.
pub(super) fn exists(
    conn: &mut SqliteConnection,
    sql: &str,
    binds: impl IntoIterator<Item = Bind>,
) -> QueryResult<bool> {
    Ok(!rows(conn, sql, binds)?.is_empty())
}

/// Whether a table is there and has this column.
pub(super) fn has_column(
    conn: &mut SqliteConnection,
    table: &str,
    column: &str,
) -> QueryResult<bool> {
    let sql = format!("select 1 from pragma_table_info({BIND}) where name = {BIND}");
    exists(conn, &sql, [table, column].map(Bind::text))
}

/// Writes as what the server said, which the triggers let pass.
pub(super) fn applying<T, E: From<diesel::result::Error>>(
    conn: &mut SqliteConnection,
    write: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
) -> Result<T, E> {
    conn.batch_execute("update carburetor_replica set applying = 1")?;
    let written = write(conn)?;
    conn.batch_execute("update carburetor_replica set applying = 0")?;
    Ok(written)
}

pub(super) fn as_text(value: &Stored) -> String {
    match value {
        Some(SqliteValue::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

pub(super) fn as_integer(value: &Stored) -> i64 {
    match value {
        Some(SqliteValue::Integer(integer)) => *integer,
        _ => 0,
    }
}

/// A row of the file.
pub(super) trait ReplicaRow {
    fn width(&self) -> usize;

    /// The value of a column as it is stored.
    fn stored(&self, column: usize) -> Stored;

    /// The value of a column as it travels.
    fn json(
        &self,
        column: usize,
        codec: &crate::wire::Codec<Sqlite>,
    ) -> Result<serde_json::Value, WireError>;

    /// The instant that a column holds, in microseconds since 1970.
    fn instant(&self, column: usize, storage: crate::table::Storage) -> QueryResult<Option<i64>>;
}

impl<'r, R: Row<'r, Sqlite>> ReplicaRow for R {
    fn width(&self) -> usize {
        self.field_count()
    }

    fn stored(&self, column: usize) -> Stored {
        let field = self.get(column)?;
        let mut value = field.value()?;
        Some(match value.value_type()? {
            SqliteType::Text => SqliteValue::Text(value.read_text().to_owned()),
            SqliteType::Binary => SqliteValue::Blob(value.read_blob().to_vec()),
            SqliteType::Float | SqliteType::Double => SqliteValue::Real(value.read_double()),
            SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long => {
                SqliteValue::Integer(value.read_long())
            }
        })
    }

    fn json(
        &self,
        column: usize,
        codec: &crate::wire::Codec<Sqlite>,
    ) -> Result<serde_json::Value, WireError> {
        let field = self
            .get(column)
            .ok_or_else(|| WireError::new("SQLite returned no such column"))?;
        let mut json = Vec::new();
        Sqlite::write(codec, &field, &mut json)?;
        serde_json::from_slice(&json).map_err(|error| WireError::new(error.to_string()))
    }

    fn instant(&self, column: usize, storage: crate::table::Storage) -> QueryResult<Option<i64>> {
        Sqlite::instant(self, column, storage)
    }
}
