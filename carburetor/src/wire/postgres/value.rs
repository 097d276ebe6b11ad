//! Rust values to JSON and back, by way of the binary format.

use super::edge::take;
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

pub(crate) fn decode<ST, U>(value: &[u8]) -> Result<U, WireError>
where
    Pg: HasSqlType<ST>,
    U: FromSql<ST, Pg>,
{
    U::from_sql(PgValue::new(value, &Lookup::oid::<ST>()))
        .map_err(|error| WireError::new(error.to_string()))
}

/// The same, unless the type takes the value for another one.
pub(crate) fn hold<ST, U>(value: &[u8]) -> Result<U, WireError>
where
    Pg: HasSqlType<ST>,
    U: FromSql<ST, Pg> + ToSql<ST, Pg> + 'static,
{
    take::<ST, U>(PgValue::new(value, &Lookup::oid::<ST>()))
        .map_err(|error| WireError::new(error.to_string()))
}
