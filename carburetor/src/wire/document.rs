//! JSON columns: a document travels inside of the message, as it is but for white space.

use super::WireError;
use serde::de::IgnoredAny;
use serde_json::Value;

/// How deep a document may nest: `serde_json` reads 128 levels, and the message has some of its own.
const DEEPEST: usize = 100;

/// Appends text that may not be JSON, because its column takes any.
pub(super) fn check_and_write_document(text: &str, out: &mut Vec<u8>) -> Result<(), WireError> {
    serde_json::from_str::<IgnoredAny>(text)
        .map_err(|_| WireError::unexpected("a JSON document", &Value::from(text)))?;
    write_document(text, out)
}

/// Appends valid JSON without its white space; refuses what a Rust replica could not read.
pub(super) fn write_document(text: &str, out: &mut Vec<u8>) -> Result<(), WireError> {
    let bytes = text.as_bytes();
    let mut depth = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'"' => string_end(bytes, at)?,
            b'-' | b'0'..=b'9' => number_end(text, at)?,
            b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    return Err(WireError::new(format!(
                        "a document deeper than {DEEPEST} levels can't travel; mark the field `#[sync(skip)]`"
                    )));
                }
                at + 1
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                at + 1
            }
            _ => at + 1,
        };
        out.extend_from_slice(&bytes[at..end]);
        at = end;
    }
    Ok(())
}

fn string_end(bytes: &[u8], start: usize) -> Result<usize, WireError> {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape_end(bytes, at)?,
            Some(_) => at += 1,
            None => {
                return Err(WireError::new(
                    "expected a JSON document, got one that ends early",
                ));
            }
        }
    }
}

/// PostgreSQL's `json` takes half of a surrogate pair, which no UTF-8 text can hold.
fn escape_end(bytes: &[u8], at: usize) -> Result<usize, WireError> {
    match unit(bytes, at) {
        None => Ok(at + 2),
        Some(0xd800..=0xdbff) if matches!(unit(bytes, at + 6), Some(0xdc00..=0xdfff)) => {
            Ok(at + 12)
        }
        Some(0xd800..=0xdfff) => Err(WireError::new(
            "a document with half of a surrogate pair can't travel; store it as `jsonb`",
        )),
        Some(_) => Ok(at + 6),
    }
}

fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn number_end(text: &str, start: usize) -> Result<usize, WireError> {
    let length = text.as_bytes()[start..]
        .iter()
        .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        .count();
    let number = &text[start..start + length];
    // Shorter ones without an exponent are below 1e300.
    let may_overflow = length > 300 || number.contains(['e', 'E']);
    if may_overflow && number.parse().is_ok_and(f64::is_infinite) {
        return Err(WireError::new(
            "a document with a number beyond 1.8e308 can't travel; store it as a string",
        ));
    }
    Ok(start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Result<String, WireError> {
        let mut out = Vec::new();
        write_document(text, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn white_space_goes_and_everything_else_stays() {
        assert_eq!(
            written("{ \"a b\" :\t[1.50, true,\n null, \"x \\\" y\\\\\"],\"a b\":-1e3 }").unwrap(),
            "{\"a b\":[1.50,true,null,\"x \\\" y\\\\\"],\"a b\":-1e3}"
        );
        assert_eq!(written(r#" "\ud83d\ude00" "#).unwrap(), r#""\ud83d\ude00""#);
    }

    #[test]
    fn what_a_rust_replica_could_not_read_is_refused() {
        for text in [
            r#""\ud800""#,
            r#""\udc00 ""#,
            r#""\ud800\u0041""#,
            "1e309",
            "[-1E999]",
        ] {
            assert!(written(text).is_err(), "{text}");
        }
        assert!(written(&"9".repeat(400)).is_err());
        assert!(written(&"9".repeat(305)).is_ok());
        assert!(written(&"[".repeat(101)).is_err());
        assert!(written(&("[".repeat(100) + &"]".repeat(100))).is_ok());
    }
}
