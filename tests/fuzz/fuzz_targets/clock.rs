//! A clock's text is the only one of its clock.
#![no_main]

use carburetor::clock::Clock;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes)
        && let Ok(clock) = text.parse::<Clock>()
    {
        assert_eq!(clock.to_string(), text);
        assert_eq!(Clock::new(clock.millis(), clock.counter(), clock.replica()), clock);
        assert!(clock.successor() > clock || clock.millis() >= (1 << 48) - 1);
        let _ = clock.instant();
    }
});
