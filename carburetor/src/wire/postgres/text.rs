//! Text, bytes, documents and UUIDs.

use super::{codec, fixed, stored, string, utf8};
use crate::table::Storage;
use crate::wire::binary::{read_base64, read_hex, write_base64, write_hex};
use crate::wire::document::{check_and_write_document, write_document};
use crate::wire::json::write_string;
use crate::wire::{Codec, WireError, WireType};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Binary, Citext, Json, Jsonb, Text, Uuid};
use serde_json::Value;
use std::num::NonZeroU32;

impl WireType<Pg> for Text {
    const CODEC: Codec<Pg> = stored(Storage::Text, write_text, read_text);
}

impl WireType<Pg> for Citext {
    const CODEC: Codec<Pg> = stored(Storage::Text, write_text, read_text);
}

fn write_text(value: PgValue<'_>, out: &mut Vec<u8>) -> Result<(), WireError> {
    write_string(utf8(value.as_bytes())?, out);
    Ok(())
}

fn read_text(value: &Value) -> Result<Vec<u8>, WireError> {
    let text = string("a string", value)?;
    if text.contains('\0') {
        return Err(WireError::unexpected(
            "a string without U+0000, which PostgreSQL's text can't hold",
            value,
        ));
    }
    Ok(text.into())
}

impl WireType<Pg> for Binary {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            write_base64(value.as_bytes(), out);
            Ok(())
        },
        |value| {
            let expected = "a string of base64 with padding";
            let bytes = read_base64(string(expected, value)?);
            bytes.ok_or_else(|| WireError::unexpected(expected, value))
        },
    );
}

/// The oid of `json`, which PostgreSQL has checked; the `table!` may say `Json` of another column.
const JSON: NonZeroU32 = NonZeroU32::MIN.saturating_add(113);

impl WireType<Pg> for Json {
    const CODEC: Codec<Pg> = codec(
        |value, out| match value.get_oid() {
            JSON => write_document(utf8(value.as_bytes())?, out),
            _ => check_and_write_document(utf8(value.as_bytes())?, out),
        },
        |value| Ok(value.to_string().into()),
    );
}

impl WireType<Pg> for Jsonb {
    const CODEC: Codec<Pg> = codec(
        |value, out| match value.as_bytes() {
            [1, document @ ..] => write_document(utf8(document)?, out),
            _ => Err(WireError::new(
                "expected a jsonb of version 1, got bytes of another type",
            )),
        },
        |value| {
            let document = value.to_string();
            if has_nul(value) {
                return Err(WireError::unexpected(
                    "a document without U+0000, which jsonb can't hold",
                    value,
                ));
            }
            Ok([&[1], document.as_bytes()].concat())
        },
    );
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

impl WireType<Pg> for Uuid {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            let bytes: [u8; 16] = fixed(value)?;
            out.push(b'"');
            for (group, range) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
                if group > 0 {
                    out.push(b'-');
                }
                write_hex(&bytes[range], out);
            }
            out.push(b'"');
            Ok(())
        },
        |value| {
            let expected = "a UUID such as \"67e55044-10b1-426f-9247-bb680e5fe0c8\"";
            let bytes = read_uuid(string(expected, value)?);
            Ok(bytes
                .ok_or_else(|| WireError::unexpected(expected, value))?
                .into())
        },
    );
}

fn read_uuid(text: &str) -> Option<[u8; 16]> {
    let hyphens = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| *byte == b'-')
        .map(|(at, _)| at);
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    hyphens
        .eq([8, 13, 18, 23])
        .then(|| read_hex(&digits))
        .flatten()
}
