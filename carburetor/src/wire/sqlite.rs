//! The values of Diesel's SQLite types: what the storage classes hold, and JSON.
//!
//! What Diesel reads from a column is what travels, except that values which Diesel would silently cut are refused.

mod class;
mod custom;
mod instant;
#[cfg(feature = "json")]
mod jsonb;
mod number;
mod text;
mod value;

pub(crate) use class::{judge, length};
pub(crate) use custom::custom;
pub(crate) use instant::micros;
pub(crate) use value::{decode, encode};

use super::{Codec, SqliteValue, WireError};
use crate::table::Storage;
use class::{Class, mismatch, of_class};
use diesel::sqlite::{Sqlite, SqliteValue as Stored};
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

/// Diesel reads numbers as dates and times, too: as Julian days.
const NOT_BLOB: &[Class] = &[Class::Text, Class::Integer, Class::Real];

/// Text that isn't UTF-8 is told to be read as bytes.
const BYTES: &[Class] = &[Class::Blob, Class::Text];

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
