//! Dates and times of day as text: ISO 8601, microseconds, never rounded.
//!
//! An instant is a pair: days since 1970-01-01, and microseconds of that day, both in UTC.

mod parse;

#[cfg(feature = "sqlite")]
pub(super) use parse::parse_instant_or_utc;
pub(super) use parse::{parse_date, parse_instant, parse_time};

/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;

/// `YYYY-MM-DD`; outside of the years 0 to 9999 with a sign and at least six digits, as in JavaScript. The year 0 is 1 BC.
pub(super) fn write_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    if (0..=9999).contains(&year) {
        let mut text = *b"0000-00-00";
        put_date(&mut text, year, month, day);
        out.extend_from_slice(&text);
    } else {
        out.extend_from_slice(format!("{year:+07}-{month:02}-{day:02}").as_bytes());
    }
}

/// `HH:MM:SS.ffffff`.
pub(super) fn write_time(micros: i64, out: &mut Vec<u8>) {
    let mut text = *b"00:00:00.000000";
    put_time(&mut text, micros);
    out.extend_from_slice(&text);
}

/// `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
pub(super) fn write_instant((days, micros): (i64, i64), out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    if (0..=9999).contains(&year) {
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        put_date(&mut text[..10], year, month, day);
        put_time(&mut text[11..26], micros);
        out.extend_from_slice(&text);
    } else {
        write_date(days, out);
        out.push(b'T');
        write_time(micros, out);
        out.push(b'Z');
    }
}

/// Year, month and day of a day since 1970-01-01.
pub(super) fn civil(days: i64) -> (i64, u32, u32) {
    // The year begins on 1 March here, so that the leap day is its last; 146,097 days make 400 years.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097) as u32;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (
        i64::from(year_of_era) + era * 400 + i64::from(month <= 2),
        month,
        day,
    )
}

fn put_date(text: &mut [u8], year: i64, month: u32, day: u32) {
    let year = year as u32;
    put_two(&mut text[0..2], year / 100);
    put_two(&mut text[2..4], year % 100);
    put_two(&mut text[5..7], month);
    put_two(&mut text[8..10], day);
}

fn put_time(text: &mut [u8], micros: i64) {
    let seconds = (micros / 1_000_000) as u32;
    let fraction = (micros % 1_000_000) as u32;
    put_two(&mut text[0..2], seconds / 3600);
    put_two(&mut text[3..5], seconds / 60 % 60);
    put_two(&mut text[6..8], seconds % 60);
    put_two(&mut text[9..11], fraction / 10_000);
    put_two(&mut text[11..13], fraction / 100 % 100);
    put_two(&mut text[13..15], fraction % 100);
}

fn put_two(text: &mut [u8], number: u32) {
    text[0] = b'0' + (number / 10) as u8;
    text[1] = b'0' + (number % 10) as u8;
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn every_day_of_a_thousand_years_agrees_with_chrono() {
        let first = NaiveDate::from_ymd_opt(1600, 1, 1).unwrap();
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        for date in first.iter_days().take(366_000) {
            let days = (date - epoch).num_days();
            assert_eq!(
                civil(days),
                (i64::from(date.year()), date.month(), date.day())
            );
            let mut out = Vec::new();
            write_date(days, &mut out);
            assert_eq!(out, date.to_string().as_bytes());
            assert_eq!(parse_date(&date.to_string()), Some(days));
        }
    }

    #[test]
    fn years_out_of_range_have_a_sign_and_six_digits() {
        for text in [
            "+010000-01-01",
            "-004712-01-01",
            "+5874897-12-31",
            "-000001-02-28",
        ] {
            let mut out = Vec::new();
            write_date(parse_date(text).unwrap(), &mut out);
            assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn an_instant_is_read_with_any_offset_and_cut_to_microseconds() {
        let mut out = Vec::new();
        write_instant(
            parse_instant("2026-01-01T00:30:00.1234569+01:00").unwrap(),
            &mut out,
        );
        assert_eq!(out, b"2025-12-31T23:30:00.123456Z");
        assert_eq!(parse_instant("2026-01-01T00:30:00"), None);
    }

    #[test]
    fn what_is_no_date_or_time_is_refused() {
        for text in [
            "2026-02-29",
            "2026-13-01",
            "26-01-01",
            "2026-1-1",
            "2026-01-01x",
            "",
            "+1-01-01",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        for text in [
            "24:00:00.000001",
            "23:60:00",
            "23:59:60",
            "1:00",
            "12:00:00.",
            "12",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
        assert_eq!(parse_time("24:00:00"), Some(DAY));
        assert_eq!(parse_instant("2026-01-01T24:00:00Z"), None);
    }
}
