//! Decimal numbers, as PostgreSQL sends them: digits of base 10,000, a weight, a sign and a scale.

use crate::wire::WireError;
use crate::wire::number::{is_decimal, parts};

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITY: u16 = 0xd000;
const MINUS_INFINITY: u16 = 0xf000;

/// How many digits PostgreSQL takes before the point, and after it.
const BEFORE: usize = 131_072;
const AFTER: usize = 16_383;

/// Appends the number as PostgreSQL prints it, with every digit of its scale.
pub(super) fn write_numeric(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
    let malformed = || WireError::new("expected a numeric, got bytes of another type");
    let (words, rest) = bytes.as_chunks::<2>();
    let [count, weight, sign, scale, digits @ ..] = words else {
        return Err(malformed());
    };
    if !rest.is_empty() || digits.len() != usize::from(u16::from_be_bytes(*count)) {
        return Err(malformed());
    }
    let weight = i32::from(i16::from_be_bytes(*weight));
    match u16::from_be_bytes(*sign) {
        0 => {}
        NEGATIVE => out.push(b'-'),
        NAN => {
            out.extend_from_slice(b"NaN");
            return Ok(());
        }
        INFINITY => {
            out.extend_from_slice(b"Infinity");
            return Ok(());
        }
        MINUS_INFINITY => {
            out.extend_from_slice(b"-Infinity");
            return Ok(());
        }
        _ => return Err(malformed()),
    }
    let digit = |place: i32| {
        let at = usize::try_from(weight - place).ok();
        at.and_then(|at| digits.get(at))
            .map_or(0, |digit| u16::from_be_bytes(*digit))
    };
    if weight < 0 {
        out.push(b'0');
    } else {
        out.extend_from_slice(itoa::Buffer::new().format(digit(weight)).as_bytes());
        (0..weight)
            .rev()
            .for_each(|place| put_four(digit(place), out));
    }
    let scale = usize::from(u16::from_be_bytes(*scale));
    if scale > 0 {
        out.push(b'.');
        let end = out.len() + scale;
        let mut place = -1;
        while out.len() < end {
            put_four(digit(place), out);
            place -= 1;
        }
        out.truncate(end);
    }
    Ok(())
}

/// The binary form of a number in the wire's form; `None` when it isn't one, or has more digits than PostgreSQL takes.
pub(super) fn read_numeric(text: &str) -> Option<Vec<u8>> {
    match text {
        "NaN" => return Some(binary(&[], 0, NAN, 0)),
        "Infinity" => return Some(binary(&[], 0, INFINITY, 0)),
        "-Infinity" => return Some(binary(&[], 0, MINUS_INFINITY, 0)),
        _ => {}
    }
    let (negative, whole, fraction) = parts(text);
    let whole = whole.trim_start_matches('0');
    if !is_decimal(text) || whole.len() > BEFORE || fraction.len() > AFTER {
        return None;
    }
    // Both parts are filled up to whole digits of base 10,000.
    let mut decimal = vec![b'0'; (4 - whole.len() % 4) % 4];
    decimal.extend_from_slice(whole.as_bytes());
    let before = decimal.len() / 4;
    decimal.extend_from_slice(fraction.as_bytes());
    decimal.resize(decimal.len().next_multiple_of(4), b'0');
    let digits: Vec<u16> = decimal
        .as_chunks::<4>()
        .0
        .iter()
        .map(|digit| {
            digit
                .iter()
                .fold(0, |sum, byte| sum * 10 + u16::from(byte - b'0'))
        })
        .collect();
    let scale = fraction.len() as u16;
    let Some(first) = digits.iter().position(|digit| *digit != 0) else {
        return Some(binary(&[], 0, 0, scale));
    };
    let last = digits
        .iter()
        .rposition(|digit| *digit != 0)
        .unwrap_or(first);
    let weight = before as i32 - 1 - first as i32;
    Some(binary(
        &digits[first..=last],
        weight as i16,
        if negative { NEGATIVE } else { 0 },
        scale,
    ))
}

fn binary(digits: &[u16], weight: i16, sign: u16, scale: u16) -> Vec<u8> {
    [digits.len() as u16, weight as u16, sign, scale]
        .iter()
        .chain(digits)
        .flat_map(|word| word.to_be_bytes())
        .collect()
}

fn put_four(digit: u16, out: &mut Vec<u8>) {
    let digits = [digit / 1000, digit / 100 % 10, digit / 10 % 10, digit % 10];
    out.extend(digits.map(|digit| b'0' + digit as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_their_scale() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1",
            "10000",
            "9999",
            "12345678.9",
            "0.0001",
            "0.00010",
            "-0.5",
            "100000000.00000001",
            "NaN",
            "Infinity",
            "-Infinity",
            "1.10",
        ] {
            let mut out = Vec::new();
            write_numeric(&read_numeric(text).unwrap(), &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "", "-", ".5", "5.", "1e3", "+1", " 1", "1 ", "--1", "1.2.3", "nan", "0x1", "1_0",
        ] {
            assert_eq!(read_numeric(text), None, "{text}");
        }
        assert_eq!(read_numeric(&"9".repeat(BEFORE + 1)), None);
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(read_numeric("-0.0"), read_numeric("0.0"));
    }
}
