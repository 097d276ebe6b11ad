//! The values of Diesel's SQLite types: what the storage classes hold, and JSON.
//!
//! What Diesel reads from a column is what travels, except that values which Diesel would silently cut are refused.

mod custom;
mod instant;
#[cfg(feature = "json")]
mod jsonb;
mod number;
mod text;
mod value;

pub(crate) use custom::custom;
pub(crate) use instant::micros;
pub(crate) use value::{decode, encode};

use super::{Codec, SqliteValue, WireError};
use crate::table::Storage;
use diesel::sqlite::{Sqlite, SqliteType, SqliteValue as Stored};
use serde_json::Value;

type Write = fn(Stored<'_, '_, '_>, &mut Vec<u8>) -> Result<(), WireError>;
type Read = fn(&Value) -> Result<SqliteValue, WireError>;

/// A codec of a type that the library's own SQL doesn't look at.
const fn codec(write: Write, read: Read) -> Codec<Sqlite> {
    stored(Storage::Other, write, read)
}

const fn stored(storage: Storage, write: Write, read: Read) -> Codec<Sqlite> {
    Codec {
        storage,
        write,
        read,
    }
}

/// What class a value is stored in. A column takes any, and Diesel reads any as any: text as the number 0, for instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
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
fn of_class(
    value: &mut Stored<'_, '_, '_>,
    expected: &str,
    classes: &[Class],
) -> Result<Class, WireError> {
    let class = Class::of(value).filter(|class| classes.contains(class));
    class.ok_or_else(|| mismatch(value, expected))
}

/// What a value is, and is not.
fn mismatch(value: &mut Stored<'_, '_, '_>, expected: &str) -> WireError {
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

/// The value's text, unless it isn't UTF-8: Diesel would put U+FFFD for what it can't read.
fn utf8<'v>(value: &'v mut Stored<'_, '_, '_>) -> Result<&'v str, WireError> {
    // An integer reads as its digits, in the table's own comparisons, too, unless the column has no affinity.
    of_class(value, "text", &[Class::Text, Class::Integer])?;
    let is_lossy = value.read_text().contains(char::REPLACEMENT_CHARACTER)
        && std::str::from_utf8(value.read_blob()).is_err();
    if is_lossy {
        return Err(WireError::new(
            "expected UTF-8, got other bytes; make the column a `Binary` in the `table!`",
        ));
    }
    Ok(value.read_text())
}
