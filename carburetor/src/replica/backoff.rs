//! How long to wait after a failure.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Pauses of full jitter: anything up to a bound that doubles with each failure. Devices that lost one server don't come back at one moment.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(super) fn next(&mut self) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        // The standard library's hasher is the one source of chance that it has.
        let chance = RandomState::new().hash_one(self.failures) >> 32;
        bound
            .min(LONGEST)
            .mul_f64(chance as f64 / f64::from(u32::MAX))
    }
}
