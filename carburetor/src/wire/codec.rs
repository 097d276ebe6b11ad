//! How the values of one column travel.

use super::WireError;
use crate::backend::SyncBackend;
use crate::table::Storage;
use serde_json::Value;

/// How the values of one column travel: chosen by the column's SQL type alone, so that a Rust type's serde never matters.
#[allow(
    missing_debug_implementations,
    reason = "function pointers over a backend that is not Debug"
)]
pub struct Codec<DB: SyncBackend> {
    /// How the column is stored.
    pub storage: Storage,
    /// Appends the JSON of a value as the database sent it; NULL is written by the caller.
    pub write: fn(DB::RawValue<'_>, &mut Vec<u8>) -> Result<(), WireError>,
    /// The SQL value, as `DB` takes it in a bind, of a JSON value that is not null. On PostgreSQL the binary format;
    /// on SQLite what the storage class holds.
    pub read: fn(&Value) -> Result<DB::WireValue, WireError>,
}

/// An SQL type whose values travel.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` column has no form on the wire",
    note = "leave the column out of the model, or mark the field `#[sync(skip)]`"
)]
pub trait WireType<DB: SyncBackend> {
    /// How its values travel.
    const CODEC: Codec<DB>;
}

/// A value as SQLite stores it.
///
/// ```
/// use carburetor::wire::SqliteValue;
/// assert_ne!(SqliteValue::Integer(1), SqliteValue::Text("1".into()));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum SqliteValue {
    /// INTEGER.
    Integer(i64),
    /// REAL.
    Real(f64),
    /// TEXT.
    Text(String),
    /// BLOB.
    Blob(Vec<u8>),
}
