//! A token that can be read reads back as it was. The same bytes are tried as its content, which is base64 outside.
#![no_main]

use carburetor::Token;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn packed(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let number = number << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            text.push(DIGITS[(number >> (18 - 6 * place)) as usize & 63] as char);
        }
    }
    text
}

fn reads_back(text: &str) {
    if let Ok(token) = text.parse::<Token>() {
        assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    reads_back(&packed(bytes));
    reads_back(&String::from_utf8_lossy(bytes));
});
