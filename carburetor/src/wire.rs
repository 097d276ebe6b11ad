//! What travels: JSON, version 1. PROTOCOL.md says how every type looks.

mod backend;
#[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
mod binary;
#[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
mod calendar;
mod codec;
#[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
mod document;
mod download;
mod error;
pub(crate) mod instant;
pub mod json;
pub(crate) mod message;
#[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
mod number;
pub(crate) mod numbered;
pub(crate) mod object;
pub(crate) mod page;
#[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
mod plain;
#[cfg(feature = "postgres-backend")]
pub(crate) mod postgres;
pub(crate) mod probe;
mod readable;
pub(crate) mod rows;
pub(crate) mod section;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
pub(crate) mod stream;
mod version;

pub use backend::WireBackend;
pub use codec::{Codec, SqliteValue, WireType};
pub use download::{Message, WireTables};
pub use error::WireError;
pub(crate) use version::Version;

use crate::backend::SyncBackend;
use diesel::deserialize::FromSql;
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;
use serde_json::Value;

/// The version of the protocol, in every message.
///
/// ```
/// assert_eq!(carburetor::wire::VERSION, 1);
/// ```
pub const VERSION: u32 = 1;

/// What is wrong with a column that is not there.
pub(crate) const MISSING: &str = "missing";

/// The same of a column that no row has which the server sends: the two don't fit each other.
pub(crate) const UNSENT: &str = "the server doesn't send this column, which the program's model has: update the program if the server has dropped the column, or else the server; \
     a field with #[sync(default = ..)] does without";

/// What is wrong with a row that came, and lacks what the model has.
pub(crate) fn unsent(error: WireError) -> WireError {
    match error.message == MISSING {
        true => WireError {
            message: UNSENT.to_owned(),
            ..error
        },
        false => error,
    }
}

/// The JSON of a Rust value in a column of type `ST`, as a row with that value travels.
///
/// Fails when the value doesn't fit the column's type, or can't travel.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use carburetor::wire::{self, WireType};
/// use diesel::sql_types::BigInt;
/// use diesel::sqlite::Sqlite;
/// let codec = <BigInt as WireType<Sqlite>>::CODEC;
/// assert_eq!(wire::encode::<BigInt, _, Sqlite>(&codec, &7_i64).unwrap(), "7");
/// # }
/// ```
pub fn encode<ST, U, DB>(codec: &Codec<DB>, value: &U) -> Result<Value, WireError>
where
    DB: SyncBackend + HasSqlType<ST>,
    U: ToSql<ST, DB> + ?Sized,
{
    DB::encode::<ST, U>(codec, value)
}

/// The Rust value of JSON in a column of type `ST`: the reverse of [`encode`].
///
/// Fails when the JSON isn't what the column takes, or the Rust type refuses the value.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use carburetor::wire::{self, WireType};
/// use diesel::sql_types::{Nullable, Text};
/// use diesel::sqlite::Sqlite;
/// let codec = <Nullable<Text> as WireType<Sqlite>>::CODEC;
/// let name: Option<String> = wire::decode::<Nullable<Text>, _, _>(&codec, "Ada".into()).unwrap();
/// assert_eq!(name.as_deref(), Some("Ada"));
/// # }
/// ```
pub fn decode<ST, U, DB>(codec: &Codec<DB>, value: Value) -> Result<U, WireError>
where
    DB: SyncBackend + HasSqlType<ST>,
    U: FromSql<ST, DB>,
{
    read::<ST, U, DB>(codec, &value, DB::decode::<ST, U>)
}

/// The SQL value of JSON in a column of type `ST`, none for NULL, after the Rust type has been asked whether it takes it: as [`decode`],
/// for values that go into the database. No Rust value is made where the type takes whatever the codec reads.
pub(crate) fn admit<ST, U, DB>(
    codec: &Codec<DB>,
    value: &Value,
) -> Result<Option<DB::WireValue>, WireError>
where
    DB: SyncBackend + HasSqlType<ST>,
    ST: 'static,
    U: FromSql<ST, DB> + ToSql<ST, DB> + 'static,
{
    if value.is_null() && U::from_nullable_sql(None).is_ok() {
        return Ok(None);
    }
    let admitted = (codec.read)(value)?;
    if !DB::takes_all::<ST, U>() {
        DB::hold::<ST, U>(&admitted)?;
    }
    Ok(Some(admitted))
}

/// As [`decode`], for a type that tells what it takes for another value.
pub(crate) fn hold<ST, U, DB>(codec: &Codec<DB>, value: Value) -> Result<U, WireError>
where
    DB: SyncBackend + HasSqlType<ST>,
    U: FromSql<ST, DB> + ToSql<ST, DB> + 'static,
{
    read::<ST, U, DB>(codec, &value, DB::hold::<ST, U>)
}

/// The Rust value of JSON in a column of type `ST`, as `decode` makes it of an SQL value.
fn read<ST, U, DB>(
    codec: &Codec<DB>,
    value: &Value,
    decode: impl Fn(&DB::WireValue) -> Result<U, WireError>,
) -> Result<U, WireError>
where
    DB: SyncBackend + HasSqlType<ST>,
    U: FromSql<ST, DB>,
{
    let read = || decode(&(codec.read)(value)?);
    if !value.is_null() {
        return read();
    }
    // Without NULL, null may still be a document.
    U::from_nullable_sql(None).or_else(|_| read())
}
