//! Rust values to JSON and back, by way of the binary format.

use super::lookup::Lookup;
use crate::wire::{Codec, WireError};
use diesel::deserialize::FromSql;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::bind_collector::{BindCollector, RawBytesBindCollector};
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;
use serde_json::Value;

pub(crate) fn encode<ST, U>(codec: &Codec<Pg>, value: &U) -> Result<Value, WireError>
where
    Pg: HasSqlType<ST>,
    U: ToSql<ST, Pg> + ?Sized,
{
    let mut collector = RawBytesBindCollector::<Pg>::new();
    collector
        .push_bound_value::<ST, U>(value, &mut Lookup)
        .map_err(|error| WireError::new(error.to_string()))?;
    let Some(bytes) = collector.binds.pop().flatten() else {
        return Ok(Value::Null);
    };
    let mut json = Vec::new();
    (codec.write)(PgValue::new(&bytes, &Lookup::oid::<ST>()), &mut json)?;
    serde_json::from_slice(&json).map_err(|error| WireError::new(error.to_string()))
}

/// The value in the binary format, if `U` takes it.
pub(crate) fn admit<ST, U>(codec: &Codec<Pg>, value: &Value) -> Result<Option<Vec<u8>>, WireError>
where
    Pg: HasSqlType<ST>,
    U: FromSql<ST, Pg>,
{
    if value.is_null() && U::from_nullable_sql(None).is_ok() {
        return Ok(None);
    }
    let bytes = (codec.read)(value)?;
    let taken = U::from_sql(PgValue::new(&bytes, &Lookup::oid::<ST>()));
    taken.map_err(|error| WireError::new(error.to_string()))?;
    Ok(Some(bytes))
}

pub(crate) fn decode<ST, U>(codec: &Codec<Pg>, value: &Value) -> Result<U, WireError>
where
    Pg: HasSqlType<ST>,
    U: FromSql<ST, Pg>,
{
    let oid = Lookup::oid::<ST>();
    let read = |bytes: &[u8]| {
        U::from_sql(PgValue::new(bytes, &oid)).map_err(|error| WireError::new(error.to_string()))
    };
    if !value.is_null() {
        return read(&(codec.read)(value)?);
    }
    // Without NULL, null may still be a document.
    U::from_nullable_sql(None).or_else(|_| read(&(codec.read)(value)?))
}
