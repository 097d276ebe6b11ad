//! Numbers out of JSON, strictly: a number that JavaScript may have rounded is a string on the wire.

use super::WireError;
use serde_json::Value;

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
