//! The values of PostgreSQL's types: its binary format and JSON.

mod array;
mod custom;
mod decimal;
mod edge;
mod instant;
mod interval;
mod lookup;
mod network;
mod number;
mod range;
mod text;
mod value;

pub(crate) use array::{Reader, SEVERAL_DIMENSIONS};
pub(crate) use custom::{array_of_custom, custom};
pub(crate) use edge::take;
pub(crate) use instant::micros;
pub(crate) use lookup::Lookup;
pub(crate) use value::{decode, encode, hold};

use super::{Codec, WireError};
use crate::table::Storage;
use diesel::pg::{Pg, PgValue};
use serde_json::Value;

type Write = fn(PgValue<'_>, &mut Vec<u8>) -> Result<(), WireError>;
type Read = fn(&Value) -> Result<Vec<u8>, WireError>;

/// A codec of a type that the library's own SQL doesn't look at.
const fn codec(write: Write, read: Read) -> Codec<Pg> {
    stored(Storage::Other, write, read)
}

const fn stored(storage: Storage, write: Write, read: Read) -> Codec<Pg> {
    Codec {
        storage,
        write,
        read,
    }
}

/// A value of `N` bytes.
fn fixed<const N: usize>(value: PgValue<'_>) -> Result<[u8; N], WireError> {
    let bytes = value.as_bytes();
    bytes.try_into().map_err(|_| {
        let got = bytes.len();
        WireError::new(format!(
            "expected a value of {N} bytes, got {got}; the column's type is not that of the `table!`"
        ))
    })
}

fn utf8(bytes: &[u8]) -> Result<&str, WireError> {
    std::str::from_utf8(bytes).map_err(|_| {
        WireError::new("expected UTF-8, got other bytes; set `client_encoding` to UTF8")
    })
}

fn string<'v>(expected: &str, value: &'v Value) -> Result<&'v str, WireError> {
    value
        .as_str()
        .ok_or_else(|| WireError::unexpected(expected, value))
}
