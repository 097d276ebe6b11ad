//! Dates, times and instants: text in any form that Diesel reads, written in the form that Diesel writes.

use super::{NOT_BLOB, Stored, codec, of_class, stored};
use crate::table::Storage;
use crate::wire::calendar::{
    DAY, parse_date, parse_instant, parse_instant_or_utc, parse_time, write_date, write_instant,
    write_time,
};
use crate::wire::{Codec, SqliteValue, WireError, WireType};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use diesel::deserialize::FromSql;
use diesel::sql_types::{Date, Time, Timestamp, TimestamptzSqlite};
use diesel::sqlite::Sqlite;
use serde_json::Value;

/// An instant in microseconds since 1970; `None` for text in another form than the triggers write.
pub(crate) fn micros(mut value: Stored<'_, '_, '_>) -> Option<i64> {
    let (days, micros) = parse_instant_or_utc(value.read_text())?;
    days.checked_mul(DAY)?.checked_add(micros)
}

impl WireType<Sqlite> for Date {
    const CODEC: Codec<Sqlite> = codec(
        |mut value, out| {
            of_class(&mut value, "a date", NOT_BLOB)?;
            let days = match parse_date(value.read_text()) {
                Some(days) => days,
                None => days_of(diesel_reads::<Date, NaiveDate>(value)?),
            };
            out.push(b'"');
            write_date(days, out);
            out.push(b'"');
            Ok(())
        },
        |value| {
            let days = value.as_str().and_then(parse_date);
            let date = days
                .and_then(|days| instant(days, 0))
                .map(|instant| instant.date_naive());
            let date =
                date.ok_or_else(|| WireError::unexpected("a date such as \"2026-01-31\"", value))?;
            Ok(SqliteValue::Text(date.format("%F").to_string()))
        },
    );
}

impl WireType<Sqlite> for Time {
    const CODEC: Codec<Sqlite> = codec(
        |mut value, out| {
            of_class(&mut value, "a time", NOT_BLOB)?;
            let micros = match parse_time(value.read_text()) {
                Some(micros) => micros,
                None => micros_of(diesel_reads::<Time, NaiveTime>(value)?)?,
            };
            out.push(b'"');
            write_time(micros, out);
            out.push(b'"');
            Ok(())
        },
        |value| {
            let micros = value.as_str().and_then(parse_time);
            let time = micros
                .and_then(|micros| instant(0, micros))
                .filter(|_| micros != Some(DAY));
            let time = time.ok_or_else(|| {
                WireError::unexpected("a time such as \"23:59:59.000000\", before midnight", value)
            })?;
            Ok(SqliteValue::Text(time.format("%T%.f").to_string()))
        },
    );
}

impl WireType<Sqlite> for Timestamp {
    const CODEC: Codec<Sqlite> = stored(
        Storage::Timestamp,
        |mut value, out| {
            // Diesel ignores an offset here.
            of_class(&mut value, "an instant", NOT_BLOB)?;
            let known = plain(value.read_text());
            let instant = match known {
                Some(instant) => instant,
                None => parts(diesel_reads::<Timestamp, NaiveDateTime>(value)?)?,
            };
            put(instant, out);
            Ok(())
        },
        |value| read(value, ""),
    );
}

impl WireType<Sqlite> for TimestamptzSqlite {
    const CODEC: Codec<Sqlite> = stored(
        Storage::Timestamptz,
        |mut value, out| {
            of_class(&mut value, "an instant", NOT_BLOB)?;
            let instant = match parse_instant_or_utc(value.read_text()) {
                Some(instant) => instant,
                None => {
                    parts(diesel_reads::<TimestamptzSqlite, DateTime<Utc>>(value)?.naive_utc())?
                }
            };
            put(instant, out);
            Ok(())
        },
        |value| read(value, "+00:00"),
    );
}

fn plain(text: &str) -> Option<(i64, i64)> {
    // The time has neither sign, so one behind the date begins an offset.
    let time = text.get(11..)?;
    if time.contains(['+', '-', 'Z', 'z']) {
        None
    } else {
        parse_instant_or_utc(text)
    }
}

fn diesel_reads<ST, U: FromSql<ST, Sqlite>>(value: Stored<'_, '_, '_>) -> Result<U, WireError> {
    U::from_sql(value).map_err(|error| WireError::new(error.to_string()))
}

fn read(value: &Value, offset: &str) -> Result<SqliteValue, WireError> {
    let parsed = value.as_str().and_then(parse_instant);
    let known = parsed.and_then(|(days, micros)| instant(days, micros));
    let instant = known.ok_or_else(|| {
        WireError::unexpected("an instant such as \"2026-01-31T23:59:59.000000Z\"", value)
    })?;
    let text = match of_four_digits(instant.timestamp_micros(), offset) {
        Some(text) => text,
        None => instant.format(&format!("%F %T%.f{offset}")).to_string(),
    };
    Ok(SqliteValue::Text(text))
}

/// What chrono writes of an instant whose year has four digits, many times as fast.
fn of_four_digits(micros: i64, offset: &str) -> Option<String> {
    // As in "2026-01-31T23:59:59.123456Z".
    let mut written = Vec::with_capacity(32);
    write_instant(
        (micros.div_euclid(DAY), micros.rem_euclid(DAY)),
        &mut written,
    );
    if written.len() != 27 {
        return None;
    }
    let digits = match micros.rem_euclid(1_000_000) {
        0 => 0,
        micros if micros % 1000 == 0 => ".123".len(),
        _ => ".123456".len(),
    };
    written[10] = b' ';
    written.truncate("2026-01-31T23:59:59".len() + digits);
    written.extend_from_slice(offset.as_bytes());
    String::from_utf8(written).ok()
}

fn put(instant: (i64, i64), out: &mut Vec<u8>) {
    out.push(b'"');
    write_instant(instant, out);
    out.push(b'"');
}

fn instant(days: i64, micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(days.checked_mul(DAY)?.checked_add(micros)?)
}

fn parts(instant: NaiveDateTime) -> Result<(i64, i64), WireError> {
    Ok((days_of(instant.date()), micros_of(instant.time())?))
}

fn days_of(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

/// A leap second would arrive as another value, because neither PostgreSQL nor the wire has any.
fn micros_of(time: NaiveTime) -> Result<i64, WireError> {
    let fraction = i64::from(time.nanosecond() / 1000);
    if fraction > 999_999 {
        return Err(WireError::new(
            "a leap second can't travel; store the second before it, or the one after it",
        ));
    }
    Ok(i64::from(time.num_seconds_from_midnight()) * 1_000_000 + fraction)
}
