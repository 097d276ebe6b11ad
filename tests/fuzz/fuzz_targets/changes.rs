//! An upload that can be read reads back as it was.
#![no_main]

use carburetor::change::Changes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(changes) = Changes::read(bytes) {
        let written = serde_json::to_vec(&changes).unwrap();
        assert_eq!(Changes::read(&written).unwrap(), changes);
    }
});
