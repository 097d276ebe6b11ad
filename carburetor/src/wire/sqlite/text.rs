//! Text, bytes and documents.

use super::{BYTES, codec, of_class, stored, utf8};
use crate::table::Storage;
use crate::wire::binary::{read_base64, write_base64};
use crate::wire::document::check_and_write_document;
use crate::wire::json::write_string;
use crate::wire::{Codec, SqliteValue, WireError, WireType};
use diesel::sql_types::{Binary, Json, Text};
use diesel::sqlite::Sqlite;

impl WireType<Sqlite> for Text {
    const CODEC: Codec<Sqlite> = stored(
        Storage::Text,
        |mut value, out| {
            write_string(utf8(&mut value)?, out);
            Ok(())
        },
        |value| {
            let text = value
                .as_str()
                .ok_or_else(|| WireError::unexpected("a string", value))?;
            Ok(SqliteValue::Text(text.into()))
        },
    );
}

impl WireType<Sqlite> for Binary {
    const CODEC: Codec<Sqlite> = codec(
        |mut value, out| {
            of_class(&mut value, "bytes", BYTES)?;
            write_base64(value.read_blob(), out);
            Ok(())
        },
        |value| {
            let bytes = value.as_str().and_then(read_base64);
            let bytes = bytes
                .ok_or_else(|| WireError::unexpected("a string of base64 with padding", value))?;
            Ok(SqliteValue::Blob(bytes))
        },
    );
}

impl WireType<Sqlite> for Json {
    const CODEC: Codec<Sqlite> = codec(
        |mut value, out| check_and_write_document(utf8(&mut value)?, out),
        |value| Ok(SqliteValue::Text(value.to_string())),
    );
}
