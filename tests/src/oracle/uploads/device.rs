//! A replica's clock.

use carburetor::clock::Clock;
use chrono::Utc;

/// Milliseconds that a clock is ahead which the server still takes.
pub(super) const AHEAD: i64 = 30_000;

/// A replica's id and its hybrid logical clock, which may be wrong by some time.
pub(super) struct Device {
    replica: u64,
    /// Milliseconds that its clock is ahead of the truth.
    ahead: i64,
    hears: Hears,
    last: Clock,
}

/// What a replica learns of others' clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hears {
    /// What the server shows.
    Server,
    /// Nothing, as if it had been without a connection.
    Nothing,
}

impl Device {
    pub(super) fn new(random: &mut fastrand::Rng, ahead: i64, hears: Hears) -> Self {
        Device {
            replica: random.u64(1..),
            ahead,
            hears,
            last: Clock::ZERO,
        }
    }

    /// The clock of an edit that is made now.
    pub(super) fn tick(&mut self) -> Clock {
        let next = now(self.ahead).max(self.last.successor());
        self.last = Clock::new(next.millis(), next.counter(), self.replica);
        self.last
    }

    /// What is edited from now on is later than what the server showed, where it hears of that.
    pub(super) fn observe(&mut self, clock: Clock) {
        if self.hears == Hears::Server {
            self.last = self.last.max(clock);
        }
    }
}

/// The time as a clock of the database, so many milliseconds later.
pub(super) fn now(later: i64) -> Clock {
    Clock::of_database(Utc::now() + chrono::TimeDelta::milliseconds(later))
}
