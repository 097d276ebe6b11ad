//! How the values of one column travel.

use super::WireError;
use crate::backend::SyncBackend;
use crate::table::Storage;
use diesel::sql_types::Nullable;
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

// By hand, because the derived ones would ask the same of `DB`.
impl<DB: SyncBackend> Clone for Codec<DB> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<DB: SyncBackend> Copy for Codec<DB> {}

/// NULL is the caller's matter on the way out, and a JSON null on the way in.
impl<ST: WireType<DB>, DB: SyncBackend> WireType<DB> for Nullable<ST> {
    const CODEC: Codec<DB> = ST::CODEC;
}

/// An SQL type whose values travel.
///
/// The library implements it for Diesel's own types. An SQL type of the user's needs none when its values are stored as
/// one of those types are, or as labels (an enum of PostgreSQL's). Otherwise:
///
/// ```
/// # #[cfg(feature = "postgres-backend")] {
/// use carburetor::wire::{Codec, WireType};
/// use diesel::pg::Pg;
///
/// #[derive(diesel::sql_types::SqlType)]
/// #[diesel(postgres_type(name = "ltree"))]
/// struct Ltree;
///
/// impl WireType<Pg> for Ltree {
///     const CODEC: Codec<Pg> = Codec {
///         write: |value, out| {
///             let text = value.as_bytes().get(1..).and_then(|label| std::str::from_utf8(label).ok());
///             let text = text.ok_or_else(|| carburetor::wire::WireError::new("expected an ltree"))?;
///             carburetor::wire::json::write_string(text, out);
///             Ok(())
///         },
///         read: |value| {
///             let text = value.as_str().ok_or_else(|| carburetor::wire::WireError::unexpected("a string", value))?;
///             Ok([&[1], text.as_bytes()].concat())
///         },
///         ..<diesel::sql_types::Text as WireType<Pg>>::CODEC
///     };
/// }
/// # }
/// ```
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
