//! Rust values to JSON and back. Only a connection makes Diesel's SQLite values and reads its binds, so each thread keeps
//! an empty database in memory and selects the value from it.

use super::Stored;
use crate::wire::{Codec, SqliteValue, WireError};
use diesel::connection::{DefaultLoadingMode, LoadConnection};
use diesel::deserialize::FromSql;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::{Field, Row};
use diesel::serialize::ToSql;
use diesel::sql_types::{self, HasSqlType, Untyped};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Connection, QueryResult};
use serde_json::Value;
use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    static CONNECTION: Cell<Option<SqliteConnection>> = const { Cell::new(None) };
}

pub(crate) fn encode<ST, U>(codec: &Codec<Sqlite>, value: &U) -> Result<Value, WireError>
where
    Sqlite: HasSqlType<ST>,
    U: ToSql<ST, Sqlite> + ?Sized,
{
    let json = with_connection(|conn| {
        bound::<ST, U, _>(conn, value, |stored| {
            let mut json = Vec::new();
            (codec.write)(stored, &mut json)?;
            Ok(json)
        })
    })?;
    match json {
        None => Ok(Value::Null),
        Some(json) => serde_json::from_slice(&json).map_err(failed),
    }
}

pub(crate) fn decode<ST, U>(value: &SqliteValue) -> Result<U, WireError>
where
    Sqlite: HasSqlType<ST>,
    U: FromSql<ST, Sqlite>,
{
    let read = |stored: Stored<'_, '_, '_>| U::from_sql(stored).map_err(failed);
    let read = with_connection(|conn| match value {
        SqliteValue::Integer(number) => bound::<sql_types::BigInt, _, _>(conn, number, read),
        SqliteValue::Real(number) => bound::<sql_types::Double, _, _>(conn, number, read),
        SqliteValue::Text(text) => bound::<sql_types::Text, _, _>(conn, text.as_str(), read),
        SqliteValue::Blob(bytes) => bound::<sql_types::Binary, _, _>(conn, bytes.as_slice(), read),
    })?;
    read.ok_or_else(|| WireError::new("expected a number that SQLite can store, got NaN"))
}

/// Binds `value` and reads what SQLite makes of it; `None` for NULL.
pub(super) fn bound<ST, U, T>(
    conn: &mut SqliteConnection,
    value: &U,
    read: impl FnOnce(Stored<'_, '_, '_>) -> Result<T, WireError>,
) -> Result<Option<T>, WireError>
where
    Sqlite: HasSqlType<ST>,
    U: ToSql<ST, Sqlite> + ?Sized,
{
    let query = SelectBind {
        value,
        sql_type: PhantomData::<ST>,
    };
    let mut rows = LoadConnection::<DefaultLoadingMode>::load(conn, query).map_err(failed)?;
    let row = rows
        .next()
        .ok_or_else(|| WireError::new("SQLite returned no row"))?
        .map_err(failed)?;
    let field = Row::get(&row, 0).ok_or_else(|| WireError::new("SQLite returned no column"))?;
    field.value().map(read).transpose()
}

/// Taken out while in use, because reading a value may run the user's code, and that may come here again.
pub(super) fn with_connection<T>(
    run: impl FnOnce(&mut SqliteConnection) -> Result<T, WireError>,
) -> Result<T, WireError> {
    let mut conn = match CONNECTION.take() {
        Some(conn) => conn,
        None => SqliteConnection::establish(":memory:").map_err(failed)?,
    };
    let result = run(&mut conn);
    CONNECTION.set(Some(conn));
    result
}

fn failed(error: impl std::fmt::Display) -> WireError {
    WireError::new(error.to_string())
}

struct SelectBind<'a, ST, U: ?Sized> {
    value: &'a U,
    sql_type: PhantomData<ST>,
}

impl<ST, U> QueryFragment<Sqlite> for SelectBind<'_, ST, U>
where
    Sqlite: HasSqlType<ST>,
    U: ToSql<ST, Sqlite> + ?Sized,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_bind_param::<ST, U>(self.value)
    }
}

impl<ST, U: ?Sized> QueryId for SelectBind<'_, ST, U> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST, U: ?Sized> Query for SelectBind<'_, ST, U> {
    type SqlType = Untyped;
}
