//! Reading the library's own columns.

use diesel::backend::Backend;
use diesel::deserialize::FromSql;
use diesel::result::{Error, QueryResult, UnexpectedEndOfRow};
use diesel::row::{Field, Row};
use diesel::sql_types::{Nullable, SingleValue, SqlType, is_nullable::NotNull};

pub(super) fn read<'r, ST, T, DB>(row: &impl Row<'r, DB>, column: usize) -> QueryResult<Option<T>>
where
    DB: Backend,
    ST: SqlType<IsNull = NotNull> + SingleValue,
    T: FromSql<ST, DB>,
{
    let field = field(row, column)?;
    <Option<T> as FromSql<Nullable<ST>, DB>>::from_nullable_sql(field.value())
        .map_err(Error::DeserializationError)
}

pub(super) fn field<'r, 'f, DB: Backend>(
    row: &'f impl Row<'r, DB>,
    column: usize,
) -> QueryResult<impl Field<'f, DB>>
where
    'r: 'f,
{
    row.get(column)
        .ok_or_else(|| Error::DeserializationError(Box::new(UnexpectedEndOfRow)))
}
