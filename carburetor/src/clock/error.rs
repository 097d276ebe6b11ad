//! What keeps a ticker from giving out or taking note of a clock.

use super::Clock;
use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt;
use std::time::Duration;

/// A clock that is ahead of the own time by more than the bound.
///
/// ```
/// use carburetor::clock::{Clock, SystemTime, Ticker};
/// let theirs = Clock::of_database("2999-01-01T00:00:00Z".parse()?);
/// let error = Ticker::new(7, SystemTime).observe(theirs).unwrap_err();
/// assert!(error.to_string().starts_with("the clock of replica 0000000000000000 says 2999-01-01T00:00:00.000Z, more than 60s ahead of 20"));
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockAhead {
    /// The clock that was refused.
    pub clock: Clock,
    /// The own time.
    pub now: DateTime<Utc>,
    /// How far the one may be ahead of the other.
    pub drift: Duration,
}

impl fmt::Display for ClockAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Millis, true);
        write!(
            f,
            "the clock of replica {:016x} says {}, more than {:?} ahead of {}: set the time of the machine that is wrong; a replica follows the server's",
            self.clock.replica,
            text(self.clock.instant()),
            self.drift,
            text(self.now),
        )
    }
}

impl std::error::Error for ClockAhead {}

/// No clock is greater than the last one.
///
/// ```
/// use carburetor::clock::{SystemTime, Ticker};
/// let ticker = Ticker::new(7, SystemTime);
/// ticker.resume("ffffffffffffffff0000000000000007".parse()?);
/// assert!(ticker.tick().unwrap_err().to_string().starts_with("no clock is left"));
/// # Ok::<(), carburetor::clock::ClockError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockExhausted;

impl fmt::Display for ClockExhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no clock is left after the last one: set the machine's time, or the stored clock, right")
    }
}

impl std::error::Error for ClockExhausted {}
