//! The pieces of JSON that the rows' writers share.

/// Appends `text` as a JSON string.
///
/// ```
/// let mut out = Vec::new();
/// carburetor::wire::json::write_string("a \"b\"\n", &mut out);
/// assert_eq!(out, br#""a \"b\"\n""#);
/// ```
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text, out);
    out.push(b'"');
}

/// Appends `name` as the key of an object's member, with its colon.
///
/// ```
/// let mut out = Vec::new();
/// carburetor::wire::json::write_key("team", &mut out);
/// assert_eq!(out, br#""team":"#);
/// ```
pub fn write_key(name: &str, out: &mut Vec<u8>) {
    write_string(name, out);
    out.push(b':');
}

/// Appends `,` unless what was written last opens an array or an object.
///
/// ```
/// let mut out = b"[".to_vec();
/// carburetor::wire::json::separate(&mut out);
/// out.push(b'1');
/// carburetor::wire::json::separate(&mut out);
/// assert_eq!(out, b"[1,");
/// ```
pub fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'[' | b'{')) {
        out.push(b',');
    }
}

/// Appends a whole number.
///
/// ```
/// let mut out = Vec::new();
/// carburetor::wire::json::write_integer(-12, &mut out);
/// assert_eq!(out, b"-12");
/// ```
pub fn write_integer(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// What stands after the backslash for a byte of a string: 0 for nothing, `u` for four hexadecimal digits.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        escapes[byte] = b'u';
        byte += 1;
    }
    escapes[0x08] = b'b';
    escapes[0x09] = b't';
    escapes[0x0a] = b'n';
    escapes[0x0c] = b'f';
    escapes[0x0d] = b'r';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes
};

fn write_escaped(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let words = bytes.as_chunks().0.iter().copied().map(u64::from_le_bytes);
    let first = words.take_while(|word| !has_escape(*word)).count() * 8;
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate().skip(first) {
        let escape = ESCAPES[usize::from(byte)];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[plain..at]);
        plain = at + 1;
        out.extend_from_slice(&[b'\\', escape]);
        if escape == b'u' {
            let digits = b"0123456789abcdef";
            out.extend_from_slice(b"00");
            out.push(digits[usize::from(byte >> 4)]);
            out.push(digits[usize::from(byte & 15)]);
        }
    }
    out.extend_from_slice(&bytes[plain..]);
}

/// Whether one of the eight bytes needs a backslash: a byte below a bound borrows from its own highest bit when the bound is subtracted.
fn has_escape(word: u64) -> bool {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = EACH << 7;
    let below = |word: u64, bound: u64| word.wrapping_sub(EACH * bound) & !word & HIGHEST;
    let quote = word ^ (EACH * 0x22);
    let backslash = word ^ (EACH * 0x5c);
    below(word, 0x20) | below(quote, 1) | below(backslash, 1) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_reads_back() {
        let text: String = (0..0x3000)
            .chain(0x1f600..0x1f610)
            .filter_map(char::from_u32)
            .collect();
        let mut out = Vec::new();
        write_string(&text, &mut out);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        let mut theirs = Vec::new();
        serde_json::to_writer(&mut theirs, &text).unwrap();
        assert_eq!(out, theirs);
    }

    #[test]
    fn every_byte_is_escaped_wherever_it_stands() {
        for byte in 0..0x80_u8 {
            for at in 0..20 {
                let mut text = "abcdefghijklmnopqrst".to_owned();
                text.replace_range(at..=at, char::from(byte).encode_utf8(&mut [0; 4]));
                let mut out = Vec::new();
                write_string(&text, &mut out);
                assert_eq!(out, serde_json::to_vec(&text).unwrap());
            }
        }
    }
}
