//! Ranges and multiranges: `"empty"`, or an object with both ends, null where there is none.

use super::array::{Reader, put_item};
use super::lookup::Lookup;
use super::{Write, codec};
use crate::wire::json::separate;
use crate::wire::{Codec, WireError, WireType};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{HasSqlType, Multirange, Range};
use serde_json::Value;
use std::num::NonZeroU32;

const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

impl<ST> WireType<Pg> for Range<ST>
where
    ST: WireType<Pg>,
    Pg: HasSqlType<ST>,
{
    const CODEC: Codec<Pg> = codec(
        |value, out| write_range(value.as_bytes(), ST::CODEC.write, Lookup::oid::<ST>(), out),
        read_range::<ST>,
    );
}

impl<ST> WireType<Pg> for Multirange<ST>
where
    ST: WireType<Pg>,
    Pg: HasSqlType<ST>,
{
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            let mut reader = Reader(value.as_bytes());
            out.push(b'[');
            for _ in 0..reader.integer()? {
                separate(out);
                let range = reader.item()?.unwrap_or_default();
                write_range(range, ST::CODEC.write, Lookup::oid::<ST>(), out)?;
            }
            out.push(b']');
            Ok(())
        },
        |value| {
            let ranges = value
                .as_array()
                .ok_or_else(|| WireError::unexpected("an array of ranges", value))?;
            let count =
                i32::try_from(ranges.len()).map_err(|_| WireError::new("more than 2^31 ranges"))?;
            let mut out = count.to_be_bytes().to_vec();
            for range in ranges {
                put_item(&read_range::<ST>(range)?, &mut out)?;
            }
            Ok(out)
        },
    );
}

fn write_range(
    bytes: &[u8],
    write: Write,
    oid: NonZeroU32,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let mut reader = Reader(bytes);
    let flags = reader.bytes(1)?[0];
    if flags & EMPTY != 0 {
        out.extend_from_slice(br#""empty""#);
        return Ok(());
    }
    for (name, infinite) in [("lower", LOWER_INFINITE), ("upper", UPPER_INFINITE)] {
        out.extend_from_slice(if name == "lower" {
            b"{\"lower\":"
        } else {
            b",\"upper\":"
        });
        if flags & infinite != 0 {
            out.extend_from_slice(b"null");
        } else {
            let end = reader.item()?.unwrap_or_default();
            write(PgValue::new(end, &oid), out)?;
        }
    }
    out.extend_from_slice(b",\"bounds\":\"");
    out.push(if flags & LOWER_INCLUSIVE != 0 {
        b'['
    } else {
        b'('
    });
    out.push(if flags & UPPER_INCLUSIVE != 0 {
        b']'
    } else {
        b')'
    });
    out.extend_from_slice(b"\"}");
    Ok(())
}

fn read_range<ST: WireType<Pg>>(value: &Value) -> Result<Vec<u8>, WireError> {
    let expected = "\"empty\" or a range such as {\"lower\":1,\"upper\":null,\"bounds\":\"[)\"}";
    let unexpected = || WireError::unexpected(expected, value);
    if value == "empty" {
        return Ok(vec![EMPTY]);
    }
    let member = |name| value.get(name).ok_or_else(unexpected);
    let mut flags = match member("bounds")?.as_str() {
        Some("[]") => LOWER_INCLUSIVE | UPPER_INCLUSIVE,
        Some("[)") => LOWER_INCLUSIVE,
        Some("(]") => UPPER_INCLUSIVE,
        Some("()") => 0,
        _ => return Err(unexpected()),
    };
    let mut out = vec![0];
    for (name, infinite, inclusive) in [
        ("lower", LOWER_INFINITE, LOWER_INCLUSIVE),
        ("upper", UPPER_INFINITE, UPPER_INCLUSIVE),
    ] {
        let end = member(name)?;
        if end.is_null() {
            flags = (flags | infinite) & !inclusive;
        } else {
            put_item(&(ST::CODEC.read)(end)?, &mut out)?;
        }
    }
    out[0] = flags;
    Ok(out)
}
