//! Rows, column by column. What a field's type must be is asked where it is named, in the derive's output, so that each
//! function here takes the answer as a function of [`SyncField`](crate::table::SyncField).

use crate::backend::SyncBackend;
use crate::table::{SyncTable, TableOn};
use crate::wire::{Codec, MISSING, WireBackend, WireError};
use diesel::deserialize;
use diesel::result::Error::QueryBuilderError;
use diesel::row::{Field, Row};
use serde_json::{Map, Value};
use std::error::Error;
use std::marker::PhantomData;

/// `SyncField::read`
type Read<DB, U> =
    fn(Option<<DB as diesel::backend::Backend>::RawValue<'_>>) -> deserialize::Result<U>;
/// `SyncField::encode`
type Encode<DB, U> = fn(&U, &Codec<DB>) -> Result<Value, WireError>;
/// `SyncField::decode`
type Decode<DB, U> = fn(&Codec<DB>, Value) -> Result<U, WireError>;

/// `SyncField::admit`
pub type Admit<DB> =
    fn(&Codec<DB>, &Value) -> Result<Option<<DB as WireBackend>::WireValue>, WireError>;

/// Reads column `number` of a downloaded row of `M` whose first column is number `at` of `row`.
pub fn read<'a, M, DB, U>(
    row: &impl Row<'a, DB>,
    at: usize,
    number: usize,
    read: Read<DB, U>,
) -> deserialize::Result<U>
where
    M: TableOn<DB>,
    DB: SyncBackend,
{
    let field = row.get(at + number).ok_or_else(|| {
        let column = name::<M, DB>(number);
        format!(
            "{}.{column} is not among the columns of the result",
            M::NAME
        )
    })?;
    let unreadable = |error: Box<dyn Error + Send + Sync>| {
        at_column::<M, DB>(WireError::new(error.to_string()), number).into()
    };
    read(field.value()).map_err(unreadable)
}

/// The same, `fallback` standing for a value that can't be read. NULL is none.
pub fn read_or<'a, M, DB, U>(
    row: &impl Row<'a, DB>,
    at: usize,
    number: usize,
    by: Read<DB, U>,
    fallback: fn() -> U,
) -> deserialize::Result<U>
where
    M: TableOn<DB>,
    DB: SyncBackend,
{
    let is_value = row.get(at + number).is_some_and(|field| !field.is_null());
    match read::<M, DB, U>(row, at, number, by) {
        Err(_) if is_value => Ok(fallback()),
        read => read,
    }
}

/// A value that travelled, `fallback` standing for one that its column takes and the field's type can't read.
pub fn decode_or<DB: SyncBackend, U>(
    codec: &Codec<DB>,
    value: Value,
    decode: Decode<DB, U>,
    fallback: fn() -> U,
) -> Result<U, WireError> {
    let is_value = !value.is_null() && (codec.read)(&value).is_ok();
    match decode(codec, value) {
        Err(_) if is_value => Ok(fallback()),
        decoded => decoded,
    }
}

/// The SQL value of one that travelled, also where a fallback stands for it in Rust: the database keeps it as it is.
pub fn admit_or<DB: SyncBackend>(
    codec: &Codec<DB>,
    value: &Value,
    admit: Admit<DB>,
) -> Result<Option<DB::WireValue>, WireError> {
    match admit(codec, value) {
        Err(_) if !value.is_null() => (codec.read)(value).map(Some),
        admitted => admitted,
    }
}

/// An id has no part of this number.
pub fn no_such_part<M: TableOn<DB>, DB: SyncBackend>(part: usize) -> diesel::QueryResult<()> {
    Err(QueryBuilderError(
        format!("the id of {} has no part {part}", M::NAME).into(),
    ))
}

/// `value`, in column `number`, as it travels.
pub fn encode<M, DB, U>(number: usize, value: &U, encode: Encode<DB, U>) -> Result<Value, WireError>
where
    M: TableOn<DB>,
    DB: SyncBackend,
{
    encode(value, codec::<M, DB>(number)?).map_err(|error| at_column::<M, DB>(error, number))
}

/// A value of column `number` that travelled.
pub fn decode<M, DB, U>(number: usize, value: Value, decode: Decode<DB, U>) -> Result<U, WireError>
where
    M: TableOn<DB>,
    DB: SyncBackend,
{
    decode(codec::<M, DB>(number)?, value).map_err(|error| at_column::<M, DB>(error, number))
}

/// The SQL value of one that travelled in column `number`; `fields` are all of them.
pub fn admit<M, DB>(
    number: usize,
    value: &Value,
    fields: &[Admit<DB>],
) -> Result<Option<DB::WireValue>, WireError>
where
    M: TableOn<DB>,
    DB: SyncBackend,
{
    let (codec, admit) = M::codecs()
        .get(number)
        .zip(fields.get(number))
        .ok_or_else(|| no_column::<M>(number))?;
    admit(codec, value).map_err(|error| at_column::<M, DB>(error, number))
}

/// The parts of an id that travelled as an array.
pub fn parts<M, DB, const N: usize>(id: Value) -> Result<[Value; N], WireError>
where
    M: TableOn<DB>,
    DB: SyncBackend,
{
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
    only: Option<usize>,
    table: PhantomData<fn(M, DB)>,
}

impl<M: TableOn<DB>, DB: SyncBackend> Default for Sent<M, DB> {
    fn default() -> Self {
        Sent {
            row: Map::new(),
            only: None,
            table: PhantomData,
        }
    }
}

impl<M: TableOn<DB>, DB: SyncBackend> Sent<M, DB> {
    /// A row of which only column `number` is wanted.
    pub fn only(number: usize) -> Self {
        Sent {
            only: Some(number),
            ..Sent::default()
        }
    }

    /// Adds column `number`, if it is wanted.
    pub fn put<U>(&mut self, number: usize, value: &U, by: Encode<DB, U>) -> Result<(), WireError> {
        if self.only.is_some_and(|only| only != number) {
            return Ok(());
        }
        let value = encode::<M, DB, U>(number, value, by)?;
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
    pub fn take<U>(&mut self, number: usize, by: Decode<DB, U>) -> Result<U, WireError> {
        self.given(number, by)?
            .ok_or_else(|| at_column::<M, DB>(WireError::new(MISSING), number))
    }

    /// Column `number`, if it is there.
    pub fn given<U>(&mut self, number: usize, by: Decode<DB, U>) -> Result<Option<U>, WireError> {
        let value = self.row.remove(name::<M, DB>(number));
        value
            .map(|value| decode::<M, DB, U>(number, value, by))
            .transpose()
    }
}

fn codec<M, DB>(number: usize) -> Result<&'static Codec<DB>, WireError>
where
    M: TableOn<DB>,
    DB: SyncBackend,
{
    M::codecs()
        .get(number)
        .ok_or_else(|| no_column::<M>(number))
}

fn no_column<M: SyncTable>(number: usize) -> WireError {
    WireError::new(format!("no column {number}")).at(M::NAME, "")
}

fn name<M: TableOn<DB>, DB: SyncBackend>(number: usize) -> &'static str {
    let mut columns = M::definition().downloaded();
    columns.nth(number).map_or("", |column| &column.name)
}

fn at_column<M: TableOn<DB>, DB: SyncBackend>(error: WireError, number: usize) -> WireError {
    error.at(M::NAME, name::<M, DB>(number))
}
