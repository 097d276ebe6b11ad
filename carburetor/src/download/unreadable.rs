//! Rows that can't be read, or that can't travel.

use super::DownloadError;
use crate::backend::SyncBackend;
use crate::table::{ColumnDefinition, TableDefinition, TableOn};
use crate::wire::WireError;
use diesel::result::Error::DeserializationError;
use diesel::row::{Field, Row};
use serde_json::{Map, Value};
use std::error::Error;

/// Whether a row could be read; the error names what could not.
pub(crate) type Taken = Result<(), WireError>;

/// The id of a downloaded row as it travels, the row's first column being number `at`; none where a part of it can't.
pub(crate) fn id_of<'r, M, DB>(row: &impl Row<'r, DB>, at: usize) -> Option<Value>
where
    M: TableOn<DB>,
    DB: SyncBackend,
{
    if unfit::<M, DB>(row, at).is_some() {
        return None;
    }
    let columns = M::definition().downloaded().zip(M::codecs()).enumerate();
    let mut parts = Vec::new();
    for (number, (_, codec)) in columns.filter(|(_, (column, _))| column.id) {
        let mut json = Vec::new();
        DB::write(codec, &row.get(at + number)?, &mut json).ok()?;
        parts.push(serde_json::from_slice(&json).ok()?);
    }
    match parts.len() {
        1 => parts.pop(),
        _ => Some(Value::Array(parts)),
    }
}

/// How many bytes a part of an id has at most: a token names the id that a page ends with, and has to fit an address or a header.
pub(crate) const LONGEST: usize = 4096;

/// What keeps a row from being told from others by its id, the row's first column being number `at`; none where nothing does.
pub(crate) fn unfit<'r, M, DB>(row: &impl Row<'r, DB>, at: usize) -> Option<WireError>
where
    M: TableOn<DB>,
    DB: SyncBackend,
{
    // Every row passes here, so its columns are gone through once where nothing is wrong.
    id_part::<M, DB, _>(row, at, |part| part.is_null() || is_long::<DB>(part))?;
    lacks_id::<M, DB>(row, at).or_else(|| {
        let column = id_part::<M, DB, _>(row, at, |part| is_long::<DB>(part))?;
        let problem = format!(
            "the id has more than {LONGEST} bytes, which no token can name: give the row a shorter one"
        );
        Some(WireError::new(problem).at(M::NAME, &column.name))
    })
}

fn is_long<'r, DB: SyncBackend>(part: &impl Field<'r, DB>) -> bool {
    part.value()
        .is_some_and(|value| DB::length(value) > LONGEST)
}

/// What is wrong with a row in whose id there is NULL: SQLite takes it in a key that isn't declared NOT NULL.
pub(crate) fn lacks_id<'r, M, DB>(row: &impl Row<'r, DB>, at: usize) -> Option<WireError>
where
    M: TableOn<DB>,
    DB: SyncBackend,
{
    let column = id_part::<M, DB, _>(row, at, |part| part.is_null())?;
    let problem = "the id is NULL, which tells the row from no other: give the row an id, and declare the column NOT NULL";
    Some(WireError::new(problem).at(M::NAME, &column.name))
}

/// The column of the first part of a row's id that `is_wrong`.
fn id_part<'a, 'r, M, DB, R>(
    row: &'a R,
    at: usize,
    is_wrong: impl Fn(&R::Field<'a>) -> bool,
) -> Option<&'static ColumnDefinition>
where
    M: TableOn<DB>,
    DB: SyncBackend,
    R: Row<'r, DB>,
    'r: 'a,
{
    let columns = M::definition().downloaded().enumerate();
    let mut ids = columns.filter(|(_, column)| column.id);
    let is_it = |(number, _): &(usize, _)| row.get(at + number).is_some_and(|part| is_wrong(&part));
    ids.find(is_it).map(|(_, column)| column)
}

/// The id of a row that travelled; none where a part of it is missing.
pub(crate) fn id_in(definition: &TableDefinition, row: &Map<String, Value>) -> Option<Value> {
    let parts = definition.ids().map(|id| row.get(&id.name).cloned());
    let mut parts: Vec<Value> = parts.collect::<Option<_>>()?;
    match parts.len() {
        1 => parts.pop(),
        _ => Some(Value::Array(parts)),
    }
}

/// What the model says of a value that it can't read; other errors are the download's.
pub(super) fn of_value<T>(
    read: Result<T, Box<dyn Error + Send + Sync>>,
) -> Result<Result<T, WireError>, DownloadError> {
    match read.map_err(|error| error.downcast::<WireError>()) {
        Ok(value) => Ok(Ok(value)),
        Err(Ok(error)) => Ok(Err(*error)),
        Err(Err(error)) => Err(DeserializationError(error).into()),
    }
}
