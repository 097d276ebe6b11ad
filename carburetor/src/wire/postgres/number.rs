//! Numbers and booleans.

use super::decimal::{read_numeric, write_numeric};
use super::{Read, Write, codec, fixed, stored, string};
use crate::table::Storage;
use crate::wire::json::write_integer;
use crate::wire::number::{float, integer, long, narrow_float, write_float, write_integer_string};
use crate::wire::{Codec, WireError, WireType};
use diesel::pg::Pg;
use diesel::sql_types::{
    BigInt, Bool, CChar, Double, Float, Integer, Money, Numeric, Oid, SmallInt,
};
use serde_json::Value;

impl WireType<Pg> for SmallInt {
    const CODEC: Codec<Pg> = stored(
        Storage::Integer,
        |value, out| {
            write_integer(i16::from_be_bytes(fixed(value)?).into(), out);
            Ok(())
        },
        |value| integer("an integer of 16 bits", value).map(|n: i16| n.to_be_bytes().into()),
    );
}

impl WireType<Pg> for Integer {
    const CODEC: Codec<Pg> = stored(
        Storage::Integer,
        |value, out| {
            write_integer(i32::from_be_bytes(fixed(value)?).into(), out);
            Ok(())
        },
        |value| integer("an integer of 32 bits", value).map(|n: i32| n.to_be_bytes().into()),
    );
}

impl WireType<Pg> for Oid {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            write_integer(u32::from_be_bytes(fixed(value)?).into(), out);
            Ok(())
        },
        |value| integer("an oid", value).map(|n: u32| n.to_be_bytes().into()),
    );
}

impl WireType<Pg> for CChar {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            write_integer(u8::from_be_bytes(fixed(value)?).into(), out);
            Ok(())
        },
        |value| integer("an integer of 0 to 255", value).map(|n: u8| n.to_be_bytes().into()),
    );
}

impl WireType<Pg> for BigInt {
    const CODEC: Codec<Pg> = stored(Storage::Integer, WRITE_LONG, READ_LONG);
}

/// The smallest unit of the currency, because the point's place depends on the database's `lc_monetary`.
impl WireType<Pg> for Money {
    const CODEC: Codec<Pg> = codec(WRITE_LONG, READ_LONG);
}

const WRITE_LONG: Write = |value, out| {
    write_integer_string(i64::from_be_bytes(fixed(value)?), out);
    Ok(())
};

const READ_LONG: Read = |value| Ok(long(value)?.to_be_bytes().into());

impl WireType<Pg> for Float {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            write_float(f32::from_be_bytes(fixed(value)?), out);
            Ok(())
        },
        |value| Ok(narrow_float(value)?.to_be_bytes().into()),
    );
}

impl WireType<Pg> for Double {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            write_float(f64::from_be_bytes(fixed(value)?), out);
            Ok(())
        },
        |value| Ok(float(value)?.to_be_bytes().into()),
    );
}

impl WireType<Pg> for Numeric {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            out.push(b'"');
            write_numeric(value.as_bytes(), out)?;
            out.push(b'"');
            Ok(())
        },
        |value| {
            let expected = "a decimal number as a string, such as \"-12.50\"";
            let bytes = read_numeric(string(expected, value)?);
            bytes.ok_or_else(|| WireError::unexpected(expected, value))
        },
    );
}

impl WireType<Pg> for Bool {
    const CODEC: Codec<Pg> = stored(
        Storage::Boolean,
        |value, out| {
            let [byte] = fixed(value)?;
            out.extend_from_slice(if byte == 0 { b"false" } else { b"true" });
            Ok(())
        },
        |value| match value {
            Value::Bool(value) => Ok(vec![u8::from(*value)]),
            _ => Err(WireError::unexpected("true or false", value)),
        },
    );
}
