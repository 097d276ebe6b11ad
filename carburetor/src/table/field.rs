//! One field of a model and the column that it stands for.

use crate::backend::SyncBackend;
use crate::wire::{self, Codec, WireError};
use diesel::deserialize::{self, FromSql};
use diesel::query_builder::AstPass;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, SingleValue};
use serde_json::Value;

/// A Rust type that Diesel reads from, and writes to, a column of type `ST` on `DB`.
///
/// Implemented for whatever implements `FromSql` and `ToSql`.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use carburetor::table::SyncField;
/// use diesel::sql_types::{Nullable, Text};
/// fn fits<T: SyncField<ST, diesel::sqlite::Sqlite>, ST>() {}
/// fits::<String, Text>();
/// fits::<Option<String>, Nullable<Text>>();
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit a `{ST}` column on `{DB}`",
    label = "this field's type does not fit its column",
    note = "give the field a type that implements `FromSql` and `ToSql` for `{ST}` on `{DB}`, and `Option<..>` where the column is nullable",
    note = "if the model is not for `{DB}`, leave it out by `#[sync(backends(..))]`"
)]
pub trait SyncField<ST, DB: SyncBackend>: Sized + 'static {
    /// Reads the value.
    fn read(value: Option<DB::RawValue<'_>>) -> deserialize::Result<Self>;

    /// Pushes the value as a bind.
    fn bind<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> diesel::QueryResult<()>;

    /// Pushes the value as a bind that is compared as its column is.
    #[doc(hidden)]
    fn bind_as_column<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> diesel::QueryResult<()>;

    /// The value as it travels.
    fn encode(&self, codec: &Codec<DB>) -> Result<Value, WireError>;

    /// A value that travelled.
    fn decode(codec: &Codec<DB>, value: Value) -> Result<Self, WireError>;

    /// The SQL value of one that travelled, if this type takes it; none for NULL.
    #[doc(hidden)]
    fn admit(codec: &Codec<DB>, value: &Value) -> Result<Option<DB::WireValue>, WireError>;
}

#[diagnostic::do_not_recommend]
impl<T, ST, DB> SyncField<ST, DB> for T
where
    DB: SyncBackend + HasSqlType<ST>,
    ST: SingleValue,
    T: FromSql<ST, DB> + ToSql<ST, DB> + 'static,
{
    fn read(value: Option<DB::RawValue<'_>>) -> deserialize::Result<Self> {
        match value {
            None => T::from_nullable_sql(None),
            Some(value) => DB::take::<ST, T>(value),
        }
    }

    fn bind<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> diesel::QueryResult<()> {
        out.push_bind_param::<ST, T>(self)
    }

    fn bind_as_column<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> diesel::QueryResult<()> {
        DB::push_as_column::<ST, T>(self, out)
    }

    fn encode(&self, codec: &Codec<DB>) -> Result<Value, WireError> {
        wire::encode::<ST, T, DB>(codec, self)
    }

    fn decode(codec: &Codec<DB>, value: Value) -> Result<Self, WireError> {
        wire::hold::<ST, T, DB>(codec, value)
    }

    fn admit(codec: &Codec<DB>, value: &Value) -> Result<Option<DB::WireValue>, WireError> {
        wire::admit::<ST, T, DB>(codec, value)
    }
}
