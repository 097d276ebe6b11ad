//! What class a value is stored in, and whether a column's type holds it without change.

use super::number::{NUMBERS, narrow, whole, write_decimal};
use super::{BYTES, NOT_BLOB, Stored, utf8};
use crate::wire::WireError;
use diesel::sql_types::{self, Nullable};
use diesel::sqlite::SqliteType;
use std::any::TypeId;

/// A column takes any class, and Diesel reads any as any: text as the number 0, for instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Integer,
    Real,
    Text,
    Blob,
}

impl Class {
    fn of(value: &Stored<'_, '_, '_>) -> Option<Self> {
        Some(match value.value_type()? {
            SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long => Class::Integer,
            SqliteType::Float | SqliteType::Double => Class::Real,
            SqliteType::Text => Class::Text,
            SqliteType::Binary => Class::Blob,
        })
    }
}

/// The class of a value, if it is among those that hold `expected` without change.
pub(super) fn of_class(
    value: &mut Stored<'_, '_, '_>,
    expected: &str,
    classes: &[Class],
) -> Result<Class, WireError> {
    let class = Class::of(value).filter(|class| classes.contains(class));
    class.ok_or_else(|| mismatch(value, expected))
}

/// How many bytes a text or a blob has.
pub(crate) fn length(mut value: Stored<'_, '_, '_>) -> usize {
    match Class::of(&value) {
        Some(Class::Text | Class::Blob) => value.read_blob().len(),
        Some(Class::Integer | Class::Real) | None => 0,
    }
}

/// What a value is, and is not.
pub(super) fn mismatch(value: &mut Stored<'_, '_, '_>, expected: &str) -> WireError {
    let got = match Class::of(value) {
        Some(Class::Integer) => format!("the integer {}", value.read_long()),
        Some(Class::Real) => format!("the number {:?}", value.read_double()),
        Some(Class::Text) => {
            let text: String = value.read_text().chars().take(40).collect();
            format!("the text {text:?}")
        }
        Some(Class::Blob) => "a blob".to_owned(),
        None => "NULL".to_owned(),
    };
    WireError::new(format!(
        "expected {expected}, got {got}, which SQLite keeps in a column of any type; write a value of the column's type"
    ))
}

/// Refuses what Rust's types would take for another value of `ST`, as it is refused on its way out.
pub(crate) fn judge<ST: 'static>(value: &mut Stored<'_, '_, '_>) -> Result<(), WireError> {
    use sql_types::{
        BigInt, Binary, Bool, Date, Double, Float, Integer, Numeric, SmallInt, Text, Time,
        Timestamp, TimestamptzSqlite,
    };
    if is::<ST, Text>() {
        utf8(value).map(drop)
    } else if is::<ST, SmallInt>() {
        narrow::<i16>(value).map(drop)
    } else if is::<ST, Integer>() || is::<ST, Bool>() {
        narrow::<i32>(value).map(drop)
    } else if is::<ST, BigInt>() {
        whole(value).map(drop)
    } else if is::<ST, Float>() || is::<ST, Double>() {
        of_class(value, "a number", NUMBERS).map(drop)
    } else if is::<ST, Binary>() {
        of_class(value, "bytes", BYTES).map(drop)
    } else if is::<ST, Date>() {
        of_class(value, "a date", NOT_BLOB).map(drop)
    } else if is::<ST, Time>() {
        of_class(value, "a time", NOT_BLOB).map(drop)
    } else if is::<ST, Timestamp>() || is::<ST, TimestamptzSqlite>() {
        of_class(value, "an instant", NOT_BLOB).map(drop)
    } else if is::<ST, Numeric>() {
        write_decimal(value, &mut Vec::new())
    } else {
        Ok(())
    }
}

/// Whether `ST` is `Known`, be NULL allowed or not.
fn is<ST: 'static, Known: 'static>() -> bool {
    let column = TypeId::of::<ST>();
    column == TypeId::of::<Known>() || column == TypeId::of::<Nullable<Known>>()
}
