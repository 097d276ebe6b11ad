//! Intervals: ISO 8601 as PostgreSQL prints it with `intervalstyle = iso_8601`, so that months, days and microseconds stay apart.

use super::{codec, fixed, string};
use crate::wire::{Codec, WireError, WireType};
use diesel::pg::Pg;
use diesel::sql_types::Interval;

const SECOND: i64 = 1_000_000;

impl WireType<Pg> for Interval {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            let bytes: [u8; 16] = fixed(value)?;
            let number = u128::from_be_bytes(bytes);
            let parts = Parts {
                micros: (number >> 64) as i64,
                days: (number >> 32) as i32,
                months: number as i32,
            };
            if matches!(parts, Parts::INFINITY | Parts::MINUS_INFINITY) {
                return Err(WireError::new(
                    "an infinite interval can't travel; store NULL, or a finite one",
                ));
            }
            out.push(b'"');
            parts.write(out);
            out.push(b'"');
            Ok(())
        },
        |value| {
            let expected = "an interval such as \"P1Y2M3DT4H5M6.789S\"";
            let parts = parse(string(expected, value)?);
            let parts = parts.ok_or_else(|| WireError::unexpected(expected, value))?;
            let mut bytes = parts.micros.to_be_bytes().to_vec();
            bytes.extend_from_slice(&parts.days.to_be_bytes());
            bytes.extend_from_slice(&parts.months.to_be_bytes());
            Ok(bytes)
        },
    );
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    months: i32,
    days: i32,
    micros: i64,
}

impl Parts {
    const INFINITY: Parts = Parts {
        months: i32::MAX,
        days: i32::MAX,
        micros: i64::MAX,
    };
    const MINUS_INFINITY: Parts = Parts {
        months: i32::MIN,
        days: i32::MIN,
        micros: i64::MIN,
    };

    fn write(&self, out: &mut Vec<u8>) {
        if *self == Parts::default() {
            out.extend_from_slice(b"PT0S");
            return;
        }
        out.push(b'P');
        part(i64::from(self.months) / 12, b'Y', out);
        part(i64::from(self.months) % 12, b'M', out);
        part(self.days.into(), b'D', out);
        if self.micros == 0 {
            return;
        }
        out.push(b'T');
        let seconds = self.micros / SECOND;
        part(seconds / 3600, b'H', out);
        part(seconds / 60 % 60, b'M', out);
        let fraction = (self.micros % SECOND).unsigned_abs();
        if fraction == 0 {
            part(seconds % 60, b'S', out);
        } else {
            let sign = if self.micros < 0 { "-" } else { "" };
            let digits = format!("{sign}{}.{fraction:06}", (seconds % 60).unsigned_abs());
            out.extend_from_slice(digits.trim_end_matches('0').as_bytes());
            out.push(b'S');
        }
    }
}

fn part(number: i64, unit: u8, out: &mut Vec<u8>) {
    if number != 0 {
        out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        out.push(unit);
    }
}

fn parse(text: &str) -> Option<Parts> {
    let text = text.strip_prefix('P')?;
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    if (date.is_empty() && time.is_empty()) || text.ends_with('T') {
        return None;
    }
    let (mut months, mut days, mut micros) = (0_i64, 0_i64, 0_i64);
    for (number, unit) in units(date)? {
        let number = number.parse::<i64>().ok()?;
        match unit {
            'Y' => months = months.checked_add(number.checked_mul(12)?)?,
            'M' => months = months.checked_add(number)?,
            'W' => days = days.checked_add(number.checked_mul(7)?)?,
            'D' => days = days.checked_add(number)?,
            _ => return None,
        }
    }
    for (number, unit) in units(time)? {
        let part = match unit {
            'H' => number.parse::<i64>().ok()?.checked_mul(3600 * SECOND)?,
            'M' => number.parse::<i64>().ok()?.checked_mul(60 * SECOND)?,
            'S' => seconds(number)?,
            _ => return None,
        };
        micros = micros.checked_add(part)?;
    }
    Some(Parts {
        months: months.try_into().ok()?,
        days: days.try_into().ok()?,
        micros,
    })
}

/// Numbers, each with the letter behind it.
fn units(text: &str) -> Option<Vec<(&str, char)>> {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        units.push((&rest[..at], char::from(rest.as_bytes()[at])));
        rest = &rest[at + 1..];
    }
    rest.is_empty().then_some(units)
}

fn seconds(number: &str) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let six: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let fraction = six.parse::<i64>().ok()?;
    let signed = if whole.starts_with('-') {
        -fraction
    } else {
        fraction
    };
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(SECOND)?
        .checked_add(signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_stay_apart_and_read_back() {
        for (months, days, micros, text) in [
            (0, 0, 0, "PT0S"),
            (14, 3, 14_706_789_000, "P1Y2M3DT4H5M6.789S"),
            (-14, 40, -1, "P-1Y-2M40DT-0.000001S"),
            (0, -7, 86_400_000_000, "P-7DT24H"),
            (1, 0, -3_600_500_000, "P1MT-1H-0.5S"),
            (
                i32::MAX,
                i32::MIN,
                i64::MIN,
                "P178956970Y7M-2147483648DT-2562047788H-54.775808S",
            ),
        ] {
            let parts = Parts {
                months,
                days,
                micros,
            };
            let mut out = Vec::new();
            parts.write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
            assert_eq!(parse(text), Some(parts));
        }
        assert_eq!(
            parse("P2W"),
            Some(Parts {
                days: 14,
                ..Parts::default()
            })
        );
    }

    #[test]
    fn what_is_no_interval_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "P1H",
            "PT1D",
            "P1DT",
            "1D",
            "PT1.S",
            "PT.5S",
            "P1.5D",
            "P99999999999D",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
