//! Rows, column by column.

use crate::backend::SyncBackend;
use crate::table::{SyncField, TableOn};
use crate::wire::{Codec, WireError};
use diesel::deserialize;
use diesel::query_builder::AstPass;
use diesel::result::Error::QueryBuilderError;
use diesel::row::{Field, Row};
use serde_json::{Map, Value};
use std::marker::PhantomData;

/// Reads column `number` of a downloaded row of `M` whose first column is number `at` of `row`.
pub fn read<'a, M, DB, ST, U>(
    row: &impl Row<'a, DB>,
    at: usize,
    number: usize,
) -> deserialize::Result<U>
where
    M: TableOn<DB>,
    DB: SyncBackend,
    U: SyncField<ST, DB>,
{
    let field = row.get(at + number).ok_or_else(|| {
        format!(
            "{} is not among the columns of the result",
            place::<M, DB>(number)
        )
    })?;
    U::read(field.value()).map_err(|error| format!("{}: {error}", place::<M, DB>(number)).into())
}

/// Pushes `value` as a bind of a column of type `ST`.
pub fn bind<'b, DB, ST, U>(value: &'b U, out: AstPass<'_, 'b, DB>) -> diesel::QueryResult<()>
where
    DB: SyncBackend,
    U: SyncField<ST, DB>,
{
    value.bind(out)
}

/// An id has no part of this number.
pub fn no_such_part<M: TableOn<DB>, DB: SyncBackend>(part: usize) -> diesel::QueryResult<()> {
    Err(QueryBuilderError(
        format!("the id of {} has no part {part}", M::NAME).into(),
    ))
}

/// `value`, in column `number`, as it travels.
pub fn whole<M, DB, ST, U>(number: usize, value: &U) -> Result<Value, WireError>
where
    M: TableOn<DB>,
    DB: SyncBackend,
    U: SyncField<ST, DB>,
{
    value
        .encode(codec::<M, DB>(number)?)
        .map_err(|error| at::<M, DB>(error, number))
}

/// A value of column `number` that travelled.
pub fn part<M, DB, ST, U>(number: usize, value: Value) -> Result<U, WireError>
where
    M: TableOn<DB>,
    DB: SyncBackend,
    U: SyncField<ST, DB>,
{
    U::decode(codec::<M, DB>(number)?, value).map_err(|error| at::<M, DB>(error, number))
}

/// The parts of an id that travelled as an array.
pub fn parts<M: TableOn<DB>, DB: SyncBackend, const N: usize>(
    id: Value,
) -> Result<[Value; N], WireError> {
    let wrong =
        || WireError::new(format!("expected an id of {N} parts in an array")).at(M::NAME, "");
    match id {
        Value::Array(parts) => parts.try_into().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

/// A row on its way out.
pub struct Sent<M, DB> {
    row: Map<String, Value>,
    table: PhantomData<fn(M, DB)>,
}

impl<M: TableOn<DB>, DB: SyncBackend> Default for Sent<M, DB> {
    fn default() -> Self {
        Sent {
            row: Map::new(),
            table: PhantomData,
        }
    }
}

impl<M: TableOn<DB>, DB: SyncBackend> Sent<M, DB> {
    /// Adds column `number`.
    pub fn put<ST, U: SyncField<ST, DB>>(
        &mut self,
        number: usize,
        value: &U,
    ) -> Result<(), WireError> {
        let value = whole::<M, DB, ST, U>(number, value)?;
        self.row.insert(name::<M, DB>(number).to_owned(), value);
        Ok(())
    }

    /// The row.
    pub fn done(self) -> Map<String, Value> {
        self.row
    }
}

/// A row that came in.
pub struct Received<M, DB> {
    row: Map<String, Value>,
    table: PhantomData<fn(M, DB)>,
}

impl<M: TableOn<DB>, DB: SyncBackend> Received<M, DB> {
    /// The columns of `row` that the model has; others are skipped.
    pub fn new(row: Map<String, Value>) -> Self {
        Received {
            row,
            table: PhantomData,
        }
    }

    /// Column `number`, which must be there.
    pub fn take<ST, U: SyncField<ST, DB>>(&mut self, number: usize) -> Result<U, WireError> {
        self.given(number)?
            .ok_or_else(|| at::<M, DB>(WireError::new("missing"), number))
    }

    /// Column `number`, if it is there.
    pub fn given<ST, U: SyncField<ST, DB>>(
        &mut self,
        number: usize,
    ) -> Result<Option<U>, WireError> {
        self.row
            .remove(name::<M, DB>(number))
            .map(|value| part::<M, DB, ST, U>(number, value))
            .transpose()
    }
}

fn codec<M: TableOn<DB>, DB: SyncBackend>(number: usize) -> Result<&'static Codec<DB>, WireError> {
    M::codecs()
        .get(number)
        .ok_or_else(|| WireError::new(format!("no column {number}")).at(M::NAME, ""))
}

fn name<M: TableOn<DB>, DB: SyncBackend>(number: usize) -> &'static str {
    M::definition()
        .downloaded()
        .nth(number)
        .map_or("", |column| &column.name)
}

fn place<M: TableOn<DB>, DB: SyncBackend>(number: usize) -> String {
    format!("{}.{}", M::NAME, name::<M, DB>(number))
}

fn at<M: TableOn<DB>, DB: SyncBackend>(error: WireError, number: usize) -> WireError {
    error.at(M::NAME, name::<M, DB>(number))
}
