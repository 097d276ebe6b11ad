//! Arrays of one dimension.

use super::lookup::Lookup;
use super::{Read, Write, codec};
use crate::wire::json::separate;
use crate::wire::{Codec, WireError, WireType};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Array, HasSqlType};
use serde_json::Value;
use std::num::NonZeroU32;

impl<ST> WireType<Pg> for Array<ST>
where
    ST: WireType<Pg>,
    Pg: HasSqlType<ST>,
{
    const CODEC: Codec<Pg> = codec(
        |value, out| write_array(value, ST::CODEC.write, out),
        |value| read_array(value, ST::CODEC.read, Lookup::oid::<ST>()),
    );
}

/// Why an array of arrays doesn't travel.
pub(crate) const SEVERAL_DIMENSIONS: &str =
    "an array of several dimensions can't travel; store it as `jsonb`";

/// The bytes of an array that are not read yet.
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(|| {
            WireError::new("a value ends early; the column's type is not that of the `table!`")
        })?;
        self.0 = rest;
        Ok(bytes)
    }

    pub fn integer(&mut self) -> Result<i32, WireError> {
        let bytes = self.bytes(4)?;
        Ok(bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | i32::from(*byte)))
    }

    /// A length and as many bytes; `None` for NULL, whose length is -1.
    pub fn item(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        let length = self.integer()?;
        usize::try_from(length)
            .ok()
            .map(|length| self.bytes(length))
            .transpose()
    }
}

/// Appends a length and as many bytes.
pub(super) fn put_item(item: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
    let length =
        i32::try_from(item.len()).map_err(|_| WireError::new("a value is longer than 2 GB"))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(item);
    Ok(())
}

pub(super) fn write_array(
    value: PgValue<'_>,
    write: Write,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let mut reader = Reader(value.as_bytes());
    let dimensions = reader.integer()?;
    let _has_null = reader.integer()?;
    let oid = NonZeroU32::new(reader.integer()? as u32).unwrap_or(Lookup::UNKNOWN);
    if dimensions > 1 {
        return Err(WireError::new(SEVERAL_DIMENSIONS));
    }
    let length = if dimensions == 0 {
        0
    } else {
        reader.integer()?
    };
    if dimensions == 1 {
        let _lower_bound = reader.integer()?;
    }
    out.push(b'[');
    for _ in 0..length {
        separate(out);
        match reader.item()? {
            None => out.extend_from_slice(b"null"),
            Some(item) => write(PgValue::new(item, &oid), out)?,
        }
    }
    out.push(b']');
    Ok(())
}

pub(super) fn read_array(value: &Value, read: Read, oid: NonZeroU32) -> Result<Vec<u8>, WireError> {
    let items = value
        .as_array()
        .ok_or_else(|| WireError::unexpected("an array", value))?;
    let has_null = items.iter().any(Value::is_null);
    let mut out = Vec::new();
    // An empty array has no dimensions in PostgreSQL.
    out.extend_from_slice(&i32::from(!items.is_empty()).to_be_bytes());
    out.extend_from_slice(&i32::from(has_null).to_be_bytes());
    out.extend_from_slice(&oid.get().to_be_bytes());
    if items.is_empty() {
        return Ok(out);
    }
    let length = i32::try_from(items.len())
        .map_err(|_| WireError::new("an array of more than 2^31 items"))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
    for item in items {
        if item.is_null() {
            out.extend_from_slice(&(-1_i32).to_be_bytes());
        } else {
            put_item(&read(item)?, &mut out)?;
        }
    }
    Ok(out)
}
