//! Bytes as text: standard base64 with padding, and hexadecimal digits.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Appends `bytes` as a JSON string of base64.
pub(super) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
    out.push(b'"');
}

/// The bytes of a text of base64.
pub(super) fn read_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Appends two lower-case hexadecimal digits per byte.
#[cfg(feature = "postgres-backend")]
pub(super) fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// `N` bytes of two hexadecimal digits each.
#[cfg(feature = "postgres-backend")]
pub(super) fn read_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_length_are_padded_and_read_back() {
        for (bytes, text) in [
            (&b""[..], r#""""#),
            (b"\0", r#""AA==""#),
            (b"ab", r#""YWI=""#),
            (b"\xff\xfe\xfd", r#""//79""#),
        ] {
            let mut out = Vec::new();
            write_base64(bytes, &mut out);
            assert_eq!(out, text.as_bytes());
            assert_eq!(read_base64(text.trim_matches('"')).as_deref(), Some(bytes));
        }
        assert_eq!(read_base64("YWI"), None);
    }
}
