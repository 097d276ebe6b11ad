//! Bytes as text.

/// Two hexadecimal digits for each byte, as PostgreSQL's `encode(.., 'hex')` has them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn each_byte_has_two_digits() {
        assert_eq!(hex(&[0, 0x1f, 0xff]), "001fff");
    }
}
