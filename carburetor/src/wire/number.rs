//! Numbers. One that JavaScript would round is a string on the wire, and read from nothing else.

use super::WireError;
use super::json::write_integer;
use serde_json::Value;

/// Appends a whole number as a string, because JavaScript's numbers end at 2^53.
pub(super) fn write_integer_string(number: i64, out: &mut Vec<u8>) {
    out.push(b'"');
    write_integer(number, out);
    out.push(b'"');
}

/// Appends a number's shortest digits that read back as the same bits; a string where JSON has no number for it.
pub(super) fn write_float<F: zmij::Float + Into<f64>>(number: F, out: &mut Vec<u8>) {
    let wide: f64 = number.into();
    if wide.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(number).as_bytes());
    } else if wide.is_nan() {
        out.extend_from_slice(br#""NaN""#);
    } else if wide > 0.0 {
        out.extend_from_slice(br#""Infinity""#);
    } else {
        out.extend_from_slice(br#""-Infinity""#);
    }
}

/// Whether `text` is a decimal number in the wire's form: digits, at most one point between them, a minus.
pub(super) fn is_decimal(text: &str) -> bool {
    let (_, whole, fraction) = parts(text);
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    !whole.is_empty()
        && digits(whole)
        && digits(fraction)
        && (fraction.is_empty() != text.contains('.'))
}

/// Whether it is negative, and the digits before and after the point.
pub(super) fn parts(text: &str) -> (bool, &str, &str) {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    (unsigned.len() < text.len(), whole, fraction)
}

pub(super) fn integer<N: TryFrom<i64>>(expected: &str, value: &Value) -> Result<N, WireError> {
    let number = value.as_i64().and_then(|number| number.try_into().ok());
    number.ok_or_else(|| WireError::unexpected(expected, value))
}

pub(super) fn long(value: &Value) -> Result<i64, WireError> {
    let number = value.as_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| WireError::unexpected("an integer of 64 bits as a string", value))
}

pub(super) fn float(value: &Value) -> Result<f64, WireError> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    };
    number.ok_or_else(|| {
        WireError::unexpected("a number, \"NaN\", \"Infinity\" or \"-Infinity\"", value)
    })
}

pub(super) fn narrow_float(value: &Value) -> Result<f32, WireError> {
    // By way of its digits: rounding twice, to 64 and then to 32 bits, can miss by one.
    let digits = float(value)?.to_string().parse::<f32>().ok();
    let number = digits.filter(|number| number.is_finite() || value.is_string());
    number.ok_or_else(|| WireError::unexpected("a number of 32 bits", value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_short_and_exact() {
        let written = |number: f64| {
            let mut out = Vec::new();
            write_float(number, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(0.1), "0.1");
        assert_eq!(written(-0.0), "-0.0");
        assert_eq!(written(f64::NAN), r#""NaN""#);
        assert_eq!(written(f64::NEG_INFINITY), r#""-Infinity""#);
        for number in [f64::MAX, f64::MIN_POSITIVE, 5e-324, 1e23, 1.0 / 3.0] {
            assert_eq!(
                serde_json::from_str::<f64>(&written(number)).unwrap(),
                number
            );
        }
    }
}
