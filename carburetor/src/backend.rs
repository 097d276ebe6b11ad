//! The two backends: PostgreSQL and SQLite.

use crate::wire::{Codec, WireError};
use diesel::backend::Backend;
use diesel::deserialize::FromSql;
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;
use serde_json::Value;

/// A database that tables are synced from: `diesel::pg::Pg` or `diesel::sqlite::Sqlite`.
///
/// Sealed: a truthful cutoff takes knowledge of the database's own concurrency.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// fn takes_a_backend<DB: carburetor::backend::SyncBackend>() {}
/// takes_a_backend::<diesel::sqlite::Sqlite>();
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "carburetor does not sync from `{Self}`",
    note = "the backends are `diesel::pg::Pg` (features `postgres`, `async-postgres`) and `diesel::sqlite::Sqlite` (feature `sqlite`)"
)]
pub trait SyncBackend: Backend + sealed::Sealed {
    /// A value on its way from the wire into the database.
    type WireValue;

    #[doc(hidden)]
    fn custom_codec<ST>() -> Codec<Self>
    where
        Self: HasSqlType<ST>;

    #[doc(hidden)]
    fn encode<ST, U>(codec: &Codec<Self>, value: &U) -> Result<Value, WireError>
    where
        Self: HasSqlType<ST>,
        U: ToSql<ST, Self> + ?Sized;

    #[doc(hidden)]
    fn decode<ST, U>(codec: &Codec<Self>, value: &Value) -> Result<U, WireError>
    where
        Self: HasSqlType<ST>,
        U: FromSql<ST, Self>;
}

mod sealed {
    pub trait Sealed {}
    #[cfg(feature = "postgres-backend")]
    impl Sealed for diesel::pg::Pg {}
    #[cfg(feature = "sqlite")]
    impl Sealed for diesel::sqlite::Sqlite {}
}

#[cfg(feature = "postgres-backend")]
impl SyncBackend for diesel::pg::Pg {
    type WireValue = Vec<u8>;

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

    fn decode<ST, U>(codec: &Codec<Self>, value: &Value) -> Result<U, WireError>
    where
        Self: HasSqlType<ST>,
        U: FromSql<ST, Self>,
    {
        crate::wire::postgres::decode::<ST, U>(codec, value)
    }
}
#[cfg(feature = "sqlite")]
impl SyncBackend for diesel::sqlite::Sqlite {
    type WireValue = crate::wire::SqliteValue;

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

    fn decode<ST, U>(codec: &Codec<Self>, value: &Value) -> Result<U, WireError>
    where
        Self: HasSqlType<ST>,
        U: FromSql<ST, Self>,
    {
        crate::wire::sqlite::decode::<ST, U>(codec, value)
    }
}
