//! Numbers and booleans.

use super::{Class, Stored, codec, mismatch, of_class, stored};
use crate::table::Storage;
use crate::wire::json::{write_integer, write_string};
use crate::wire::number::{
    float, integer, is_decimal, long, narrow_float, write_float, write_integer_string,
};
use crate::wire::{Codec, SqliteValue, WireError, WireType};
use diesel::sql_types::{BigInt, Bool, Double, Float, Integer, Numeric, SmallInt};
use diesel::sqlite::{Sqlite, SqliteType};
use serde_json::Value;

impl WireType<Sqlite> for SmallInt {
    const CODEC: Codec<Sqlite> = stored(
        Storage::Integer,
        |mut value, out| {
            write_integer(narrow::<i16>(&mut value)?.into(), out);
            Ok(())
        },
        |value| {
            integer("an integer of 16 bits", value).map(|n: i16| SqliteValue::Integer(n.into()))
        },
    );
}

impl WireType<Sqlite> for Integer {
    const CODEC: Codec<Sqlite> = stored(
        Storage::Integer,
        |mut value, out| {
            write_integer(narrow::<i32>(&mut value)?.into(), out);
            Ok(())
        },
        |value| {
            integer("an integer of 32 bits", value).map(|n: i32| SqliteValue::Integer(n.into()))
        },
    );
}

impl WireType<Sqlite> for BigInt {
    const CODEC: Codec<Sqlite> = stored(
        Storage::Integer,
        |mut value, out| {
            write_integer_string(whole(&mut value)?, out);
            Ok(())
        },
        |value| long(value).map(SqliteValue::Integer),
    );
}

impl WireType<Sqlite> for Float {
    const CODEC: Codec<Sqlite> = codec(
        |mut value, out| {
            of_class(&mut value, "a number", NUMBERS)?;
            write_float(value.read_double() as f32, out);
            Ok(())
        },
        |value| real(narrow_float(value)?.into(), value),
    );
}

impl WireType<Sqlite> for Double {
    const CODEC: Codec<Sqlite> = codec(
        |mut value, out| {
            of_class(&mut value, "a number", NUMBERS)?;
            write_float(value.read_double(), out);
            Ok(())
        },
        |value| real(float(value)?, value),
    );
}

/// Text holds every digit; Diesel's own `Numeric` reads and writes floats.
impl WireType<Sqlite> for Numeric {
    const CODEC: Codec<Sqlite> = codec(
        |mut value, out| write_decimal(&mut value, out),
        |value| {
            let text = value.as_str().filter(|text| is_decimal(text));
            let text = text.ok_or_else(|| {
                WireError::unexpected("a decimal number as a string, such as \"-12.50\"", value)
            })?;
            Ok(SqliteValue::Text(text.into()))
        },
    );
}

impl WireType<Sqlite> for Bool {
    const CODEC: Codec<Sqlite> = stored(
        Storage::Boolean,
        |mut value, out| {
            out.extend_from_slice(if whole(&mut value)? == 0 {
                b"false"
            } else {
                b"true"
            });
            Ok(())
        },
        |value| match value {
            Value::Bool(value) => Ok(SqliteValue::Integer(i64::from(*value))),
            _ => Err(WireError::unexpected("true or false", value)),
        },
    );
}

/// Diesel reads text without digits as zero.
pub(super) fn write_decimal(
    value: &mut Stored<'_, '_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    match value.value_type() {
        Some(SqliteType::Integer | SqliteType::Long | SqliteType::SmallInt) => {
            write_integer_string(value.read_long(), out);
            Ok(())
        }
        Some(SqliteType::Double | SqliteType::Float) => {
            let number = value.read_double();
            if number.is_finite() {
                // Display has no exponent, as the wire's form.
                write_string(&number.to_string(), out);
                Ok(())
            } else {
                Err(WireError::new(
                    "expected a decimal number, got an infinite one",
                ))
            }
        }
        _ => {
            of_class(value, "a decimal number", &[Class::Text])?;
            let text = value.read_text();
            if !is_decimal(text) {
                return Err(WireError::unexpected(
                    "a decimal number",
                    &Value::from(text),
                ));
            }
            write_string(text, out);
            Ok(())
        }
    }
}

pub(super) const NUMBERS: &[Class] = &[Class::Integer, Class::Real];

/// An integer; a number without a fraction is one, where the column's type keeps no integers.
pub(super) fn whole(value: &mut Stored<'_, '_, '_>) -> Result<i64, WireError> {
    let is_whole = match of_class(value, "an integer", NUMBERS)? {
        Class::Real => {
            let real = value.read_double();
            real.fract() == 0.0 && real.abs() < EXACT
        }
        _ => true,
    };
    match is_whole {
        true => Ok(value.read_long()),
        false => Err(mismatch(value, "an integer")),
    }
}

/// Up to here every integer is a floating-point number, too.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// SQLite's integers have 64 bits whatever the column says; Diesel would cut them.
pub(super) fn narrow<N: TryFrom<i64>>(value: &mut Stored<'_, '_, '_>) -> Result<N, WireError> {
    let number = whole(value)?;
    number.try_into().map_err(|_| {
        WireError::new(format!(
            "expected an integer of {} bits, got {number}; make the column a `BigInt` in the `table!`",
            size_of::<N>() * 8
        ))
    })
}

/// SQLite stores NULL for NaN.
fn real(number: f64, value: &Value) -> Result<SqliteValue, WireError> {
    if number.is_nan() {
        return Err(WireError::unexpected(
            "a number that SQLite can store",
            value,
        ));
    }
    Ok(SqliteValue::Real(number))
}
