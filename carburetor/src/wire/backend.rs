//! Values between Rust, the database and JSON.

#[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
use super::plain;
use super::{Codec, WireError};
use crate::backend::SyncBackend;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
#[cfg(feature = "postgres-backend")]
use diesel::pg::PgValue;
use diesel::row::Field;
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;
use serde_json::Value;

/// The half of a backend that turns values into JSON and back.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// fn takes_a_backend<DB: carburetor::wire::WireBackend>() {}
/// takes_a_backend::<diesel::sqlite::Sqlite>();
/// # }
/// ```
pub trait WireBackend: Backend + Sized {
    /// A value on its way from the wire into the database.
    type WireValue: Clone + Send + Sync + 'static;

    /// Appends what tells `value` from other values of its column.
    #[doc(hidden)]
    fn key(value: &Self::WireValue, out: &mut Vec<u8>);

    /// How many bytes a value has, unless it is of a fixed size.
    #[doc(hidden)]
    fn length(value: Self::RawValue<'_>) -> usize;

    /// Appends the JSON of a field.
    #[doc(hidden)]
    fn write<'r>(
        codec: &Codec<Self>,
        field: &impl Field<'r, Self>,
        out: &mut Vec<u8>,
    ) -> Result<(), WireError>
    where
        Self: SyncBackend,
    {
        match field.value() {
            None => {
                out.extend_from_slice(b"null");
                Ok(())
            }
            Some(value) => (codec.write)(value, out),
        }
    }

    #[doc(hidden)]
    fn custom_codec<ST>() -> Codec<Self>
    where
        Self: SyncBackend + HasSqlType<ST>;

    #[doc(hidden)]
    fn encode<ST, U>(codec: &Codec<Self>, value: &U) -> Result<Value, WireError>
    where
        Self: SyncBackend + HasSqlType<ST>,
        U: ToSql<ST, Self> + ?Sized;

    /// The Rust value of an SQL value.
    #[doc(hidden)]
    fn decode<ST, U>(value: &Self::WireValue) -> Result<U, WireError>
    where
        Self: SyncBackend + HasSqlType<ST>,
        U: FromSql<ST, Self>;

    /// The same, unless `U` takes the value for another one.
    #[doc(hidden)]
    fn hold<ST, U>(value: &Self::WireValue) -> Result<U, WireError>
    where
        Self: SyncBackend + HasSqlType<ST>,
        U: FromSql<ST, Self> + ToSql<ST, Self> + 'static;

    /// The Rust value of one that the database sent, unless `U` takes it for another one.
    #[doc(hidden)]
    fn take<ST, U>(value: Self::RawValue<'_>) -> deserialize::Result<U>
    where
        Self: SyncBackend + HasSqlType<ST>,
        ST: 'static,
        U: FromSql<ST, Self> + ToSql<ST, Self> + 'static;

    /// Whether `U` takes every value of `ST` that a codec reads.
    #[doc(hidden)]
    fn takes_all<ST: 'static, U: 'static>() -> bool;
}

#[cfg(feature = "postgres-backend")]
impl WireBackend for diesel::pg::Pg {
    type WireValue = Vec<u8>;

    // The length keeps two parts of an id from reading as two others.
    fn key(value: &Vec<u8>, out: &mut Vec<u8>) {
        out.extend_from_slice(&(value.len() as u64).to_be_bytes());
        out.extend_from_slice(value);
    }

    fn length(value: PgValue<'_>) -> usize {
        value.as_bytes().len()
    }

    fn write<'r>(
        codec: &Codec<Self>,
        field: &impl Field<'r, Self>,
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        match &field.value() {
            None => {
                out.extend_from_slice(b"null");
                Ok(())
            }
            // Moving the value would load in one piece what was stored in four a moment ago, for which the processor waits.
            Some(value) => (codec.write)(PgValue::new(value.as_bytes(), value), out),
        }
    }

    fn custom_codec<ST>() -> Codec<Self>
    where
        Self: HasSqlType<ST>,
    {
        crate::wire::postgres::custom::<ST>()
    }

    fn encode<ST, U>(codec: &Codec<Self>, value: &U) -> Result<Value, WireError>
    where
        Self: HasSqlType<ST>,
        U: ToSql<ST, Self> + ?Sized,
    {
        crate::wire::postgres::encode::<ST, U>(codec, value)
    }

    fn decode<ST, U>(value: &Self::WireValue) -> Result<U, WireError>
    where
        Self: HasSqlType<ST>,
        U: FromSql<ST, Self>,
    {
        crate::wire::postgres::decode::<ST, U>(value)
    }

    fn hold<ST, U>(value: &Self::WireValue) -> Result<U, WireError>
    where
        Self: HasSqlType<ST>,
        U: FromSql<ST, Self> + ToSql<ST, Self> + 'static,
    {
        crate::wire::postgres::hold::<ST, U>(value)
    }

    fn take<ST, U>(value: PgValue<'_>) -> deserialize::Result<U>
    where
        Self: HasSqlType<ST>,
        ST: 'static,
        U: FromSql<ST, Self> + ToSql<ST, Self> + 'static,
    {
        crate::wire::postgres::take::<ST, U>(value)
    }

    fn takes_all<ST: 'static, U: 'static>() -> bool {
        plain::takes_all::<ST, U>()
    }
}

#[cfg(feature = "sqlite")]
impl WireBackend for diesel::sqlite::Sqlite {
    type WireValue = crate::wire::SqliteValue;

    fn key(value: &crate::wire::SqliteValue, out: &mut Vec<u8>) {
        use crate::wire::SqliteValue::{Blob, Integer, Real, Text};
        let (kind, bytes) = match value {
            Integer(integer) => (0, &integer.to_be_bytes()[..]),
            Real(real) => (1, &real.to_be_bytes()[..]),
            Text(text) => (2, text.as_bytes()),
            Blob(blob) => (3, &blob[..]),
        };
        out.push(kind);
        out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        out.extend_from_slice(bytes);
    }

    fn length(value: Self::RawValue<'_>) -> usize {
        crate::wire::sqlite::length(value)
    }

    fn custom_codec<ST>() -> Codec<Self>
    where
        Self: HasSqlType<ST>,
    {
        crate::wire::sqlite::custom::<ST>()
    }

    fn encode<ST, U>(codec: &Codec<Self>, value: &U) -> Result<Value, WireError>
    where
        Self: HasSqlType<ST>,
        U: ToSql<ST, Self> + ?Sized,
    {
        crate::wire::sqlite::encode::<ST, U>(codec, value)
    }

    fn decode<ST, U>(value: &Self::WireValue) -> Result<U, WireError>
    where
        Self: HasSqlType<ST>,
        U: FromSql<ST, Self>,
    {
        crate::wire::sqlite::decode::<ST, U>(value)
    }

    // What a codec reads is of the column's class.
    fn hold<ST, U>(value: &Self::WireValue) -> Result<U, WireError>
    where
        Self: HasSqlType<ST>,
        U: FromSql<ST, Self> + ToSql<ST, Self> + 'static,
    {
        crate::wire::sqlite::decode::<ST, U>(value)
    }

    fn take<ST, U>(mut value: Self::RawValue<'_>) -> deserialize::Result<U>
    where
        Self: HasSqlType<ST>,
        ST: 'static,
        U: FromSql<ST, Self> + ToSql<ST, Self> + 'static,
    {
        crate::wire::sqlite::judge::<ST>(&mut value)?;
        U::from_nullable_sql(Some(value))
    }

    fn takes_all<ST: 'static, U: 'static>() -> bool {
        plain::takes_all::<ST, U>() || plain::takes_all_of_chrono::<ST, U>()
    }
}
