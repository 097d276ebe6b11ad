//! Dates, times and instants. PostgreSQL counts from 2000-01-01; an instant is microseconds, a date days.

use super::edge::infinite;
use super::{codec, fixed, stored, string};
use crate::table::Storage;
use crate::wire::calendar::{
    DAY, parse_date, parse_instant, parse_time, write_date, write_instant, write_time,
};
use crate::wire::{Codec, WireError, WireType};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Date, Time, Timestamp, Timestamptz};
use serde_json::Value;

/// Days from 1970-01-01 to 2000-01-01.
const EPOCH: i64 = 10_957;

/// The range that PostgreSQL takes, in its own counting: 4714-11-24 BC to before 5874898-01-01, and to before 294277-01-01.
const DATES: std::ops::Range<i64> = -2_451_545..2_145_031_949;
const INSTANTS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// An instant in microseconds since 1970; `None` for infinity.
pub(crate) fn micros(value: PgValue<'_>) -> Option<i64> {
    let micros = i64::from_be_bytes(fixed(value).ok()?);
    INSTANTS
        .contains(&micros)
        .then(|| micros.saturating_add(EPOCH * DAY))
}

impl WireType<Pg> for Date {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            let days = i32::from_be_bytes(fixed(value)?);
            if days == i32::MIN || days == i32::MAX {
                return Err(infinite("date"));
            }
            out.push(b'"');
            write_date(i64::from(days) + EPOCH, out);
            out.push(b'"');
            Ok(())
        },
        |value| {
            let expected = "a date such as \"2026-01-31\"";
            let days = parse_date(string(expected, value)?).map(|days| days - EPOCH);
            let days = days
                .filter(|days| DATES.contains(days))
                .and_then(|days| i32::try_from(days).ok());
            let days = days.ok_or_else(|| WireError::unexpected(expected, value))?;
            Ok(days.to_be_bytes().into())
        },
    );
}

impl WireType<Pg> for Time {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            let micros = i64::from_be_bytes(fixed(value)?);
            if !(0..=DAY).contains(&micros) {
                return Err(WireError::new("expected a time, got bytes of another type"));
            }
            out.push(b'"');
            write_time(micros, out);
            out.push(b'"');
            Ok(())
        },
        |value| {
            let expected = "a time such as \"23:59:59.000000\"";
            let micros = parse_time(string(expected, value)?);
            let micros = micros.ok_or_else(|| WireError::unexpected(expected, value))?;
            Ok(micros.to_be_bytes().into())
        },
    );
}

impl WireType<Pg> for Timestamp {
    const CODEC: Codec<Pg> = stored(Storage::Timestamp, write, read);
}

impl WireType<Pg> for Timestamptz {
    const CODEC: Codec<Pg> = stored(Storage::Timestamptz, write, read);
}

fn write(value: PgValue<'_>, out: &mut Vec<u8>) -> Result<(), WireError> {
    let micros = i64::from_be_bytes(fixed(value)?);
    if micros == i64::MIN || micros == i64::MAX {
        return Err(infinite("instant"));
    }
    out.push(b'"');
    write_instant(
        (micros.div_euclid(DAY) + EPOCH, micros.rem_euclid(DAY)),
        out,
    );
    out.push(b'"');
    Ok(())
}

fn read(value: &Value) -> Result<Vec<u8>, WireError> {
    let expected = "an instant such as \"2026-01-31T23:59:59.000000Z\"";
    let instant = parse_instant(string(expected, value)?);
    let micros =
        instant.and_then(|(days, micros)| (days - EPOCH).checked_mul(DAY)?.checked_add(micros));
    let micros = micros.filter(|micros| INSTANTS.contains(micros));
    let micros = micros.ok_or_else(|| WireError::unexpected(expected, value))?;
    Ok(micros.to_be_bytes().into())
}
