//! A replica's clock.

use carburetor::clock::Clock;
use chrono::Utc;

/// A replica's id and its hybrid logical clock, which may be wrong by some time.
pub(super) struct Device {
    replica: u64,
    /// Milliseconds that its clock is ahead of the truth.
    ahead: i64,
    last: Clock,
}

impl Device {
    pub(super) fn new(random: &mut fastrand::Rng, ahead: i64) -> Self {
        Device {
            replica: random.u64(1..),
            ahead,
            last: Clock::ZERO,
        }
    }

    /// The clock of an edit that is made now.
    pub(super) fn tick(&mut self) -> Clock {
        let next = now(self.ahead).max(self.last.successor());
        self.last = Clock::new(next.millis(), next.counter(), self.replica);
        self.last
    }

    /// What is edited from now on is later than what the server showed; a clock that is late keeps to itself.
    pub(super) fn observe(&mut self, clock: Clock) {
        if self.ahead >= 0 {
            self.last = self.last.max(clock);
        }
    }
}

/// The time as a clock of the database, so many milliseconds later.
pub(super) fn now(later: i64) -> Clock {
    Clock::of_database(Utc::now() + chrono::TimeDelta::milliseconds(later))
}
