//! Tokens taken apart and forged.

use carburetor::Token;
use serde_json::Value;

/// What stands in a token.
pub(super) fn content(token: &Token) -> Value {
    let text = token.to_string();
    let digits: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes() {
        let value = digits.iter().position(|&d| d == digit).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 255).unwrap());
        }
    }
    serde_json::from_slice(&bytes).unwrap()
}

/// The token in which that stands.
pub(super) fn token(content: &Value) -> Token {
    text(content).parse().unwrap()
}

pub(super) fn text(content: &Value) -> String {
    let digits: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    content
        .to_string()
        .as_bytes()
        .chunks(3)
        .flat_map(|chunk| {
            let bits = chunk
                .iter()
                .chain([0, 0].iter())
                .take(3)
                .fold(0, |bits, &byte| bits << 8 | usize::from(byte));
            (0..=chunk.len()).map(move |place| char::from(digits[bits >> (18 - 6 * place) & 63]))
        })
        .collect()
}
