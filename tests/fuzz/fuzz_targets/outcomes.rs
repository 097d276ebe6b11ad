//! An answer that can be read reads back as it was.
#![no_main]

use carburetor::outcome::Outcomes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(outcomes) = Outcomes::read(bytes) {
        let written = serde_json::to_vec(&outcomes).unwrap();
        assert_eq!(Outcomes::read(&written).unwrap(), outcomes);
    }
});
