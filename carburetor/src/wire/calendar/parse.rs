//! Text to dates and times.

use super::DAY;

/// Days since 1970-01-01.
pub(in crate::wire) fn parse_date(text: &str) -> Option<i64> {
    let mut scanner = Scanner(text.as_bytes());
    let days = scanner.date()?;
    scanner.end(days)
}

/// Microseconds since midnight, up to `24:00:00` as PostgreSQL has it.
pub(in crate::wire) fn parse_time(text: &str) -> Option<i64> {
    let mut scanner = Scanner(text.as_bytes());
    let micros = scanner.time()?;
    scanner.end(micros)
}

/// An instant with its offset from UTC.
pub(in crate::wire) fn parse_instant(text: &str) -> Option<(i64, i64)> {
    let mut scanner = Scanner(text.as_bytes());
    let (days, micros) = scanner.date_and_time()?;
    let offset = scanner.offset()?;
    scanner.end(shifted(days, micros - offset))
}

/// An instant, in UTC where it has no offset.
#[cfg(feature = "sqlite")]
pub(in crate::wire) fn parse_instant_or_utc(text: &str) -> Option<(i64, i64)> {
    let mut scanner = Scanner(text.as_bytes());
    let (days, micros) = scanner.date_and_time()?;
    if scanner.0.is_empty() {
        return Some((days, micros));
    }
    let offset = scanner.offset()?;
    scanner.end(shifted(days, micros - offset))
}

fn days_since_1970(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn days_of_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn shifted(days: i64, micros: i64) -> (i64, i64) {
    (days + micros.div_euclid(DAY), micros.rem_euclid(DAY))
}

struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn date_and_time(&mut self) -> Option<(i64, i64)> {
        let days = self.date()?;
        if !(self.skip(b'T') || self.skip(b' ') || self.skip(b't')) {
            return None;
        }
        let micros = self.time()?;
        (micros < DAY).then_some((days, micros))
    }

    fn date(&mut self) -> Option<i64> {
        let year = match self.0.first()? {
            b'+' => {
                self.0 = &self.0[1..];
                self.long_year()?
            }
            b'-' => {
                self.0 = &self.0[1..];
                -self.long_year()?
            }
            _ => i64::from(self.number(4)?),
        };
        self.expect(b'-')?;
        let month = self.number(2)?;
        self.expect(b'-')?;
        let day = self.number(2)?;
        ((1..=12).contains(&month) && day >= 1 && day <= days_of_month(year, month))
            .then(|| days_since_1970(year, month, day))
    }

    fn long_year(&mut self) -> Option<i64> {
        let digits = self.digits();
        if (4..=8).contains(&digits) {
            self.number(digits).map(i64::from)
        } else {
            None
        }
    }

    /// How many digits come next.
    fn digits(&self) -> usize {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit());
        digits.count()
    }

    fn time(&mut self) -> Option<i64> {
        let hours = self.number(2)?;
        self.expect(b':')?;
        let minutes = self.number(2)?;
        let seconds = if self.skip(b':') { self.number(2)? } else { 0 };
        let fraction = if self.skip(b'.') { self.fraction()? } else { 0 };
        let micros = i64::from(hours * 3600 + minutes * 60 + seconds) * 1_000_000 + fraction;
        (minutes < 60 && seconds < 60 && micros <= DAY).then_some(micros)
    }

    /// The first six digits; what is finer is cut off.
    fn fraction(&mut self) -> Option<i64> {
        let digits = self.digits();
        if digits == 0 {
            return None;
        }
        let micros = (0..6).fold(0, |sum, at| {
            let digit = if at < digits { self.0[at] - b'0' } else { 0 };
            sum * 10 + i64::from(digit)
        });
        self.0 = &self.0[digits..];
        Some(micros)
    }

    /// Microseconds east of UTC.
    fn offset(&mut self) -> Option<i64> {
        if self.skip(b'Z') || self.skip(b'z') {
            return Some(0);
        }
        let sign = if self.skip(b'-') {
            -1
        } else {
            self.expect(b'+')?;
            1
        };
        let hours = self.number(2)?;
        let minutes = if self.0.is_empty() {
            0
        } else {
            self.skip(b':');
            self.number(2)?
        };
        (hours < 24 && minutes < 60)
            .then(|| sign * i64::from(hours * 3600 + minutes * 60) * 1_000_000)
    }

    fn number(&mut self, digits: usize) -> Option<u32> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + u32::from(byte - b'0'))
        })
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip(byte).then_some(())
    }

    fn end<T>(&self, parsed: T) -> Option<T> {
        self.0.is_empty().then_some(parsed)
    }
}
