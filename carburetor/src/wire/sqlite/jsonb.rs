//! SQLite's binary JSON, read and written by Diesel.

use super::codec;
use super::value::{bound, with_connection};
use crate::wire::{Codec, SqliteValue, WireError, WireType};
use diesel::deserialize::FromSql;
use diesel::sql_types::Jsonb;
use diesel::sqlite::Sqlite;
use serde_json::Value;

impl WireType<Sqlite> for Jsonb {
    const CODEC: Codec<Sqlite> = codec(
        |value, out| {
            let document = <Value as FromSql<Jsonb, Sqlite>>::from_sql(value)
                .map_err(|error| WireError::new(error.to_string()))?;
            serde_json::to_writer(out, &document).map_err(|error| WireError::new(error.to_string()))
        },
        |value| {
            let bytes = with_connection(|conn| {
                bound::<Jsonb, Value, _>(conn, value, |mut stored| Ok(stored.read_blob().to_vec()))
            })?;
            Ok(SqliteValue::Blob(bytes.unwrap_or_default()))
        },
    );
}
