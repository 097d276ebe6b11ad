//! A time that a test sets by hand.

use crate::clock::TimeSource;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A time that stands still until a test moves it, backwards too. Clones tell the same time.
///
/// ```
/// use carburetor::clock::{Ticker, TimeSource};
/// use carburetor::testing::ManualTime;
/// use chrono::TimeDelta;
/// let time = ManualTime::at("2026-01-31T12:00:00Z".parse()?);
/// let ticker = Ticker::new(7, time.clone());
/// time.advance(TimeDelta::seconds(5));
/// assert_eq!(ticker.tick()?.millis() as i64, time.now().timestamp_millis());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ManualTime {
    /// Microseconds since 1970.
    now: Arc<AtomicI64>,
}

impl ManualTime {
    /// A time that stands at `now`, cut to microseconds.
    ///
    /// ```
    /// # use carburetor::{clock::TimeSource, testing::ManualTime};
    /// # use chrono::DateTime;
    /// assert_eq!(ManualTime::at(DateTime::UNIX_EPOCH).now(), DateTime::UNIX_EPOCH);
    /// ```
    pub fn at(now: DateTime<Utc>) -> Self {
        ManualTime {
            now: Arc::new(AtomicI64::new(now.timestamp_micros())),
        }
    }

    /// Moves the time to `now`.
    ///
    /// ```
    /// # use carburetor::{clock::TimeSource, testing::ManualTime};
    /// # use chrono::{DateTime, TimeDelta};
    /// # let time = ManualTime::at(DateTime::UNIX_EPOCH);
    /// let later = time.now() + TimeDelta::days(1);
    /// time.set(later);
    /// assert_eq!(time.now(), later);
    /// ```
    pub fn set(&self, now: DateTime<Utc>) {
        self.now.store(now.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves the time on, or back if `by` is negative.
    ///
    /// ```
    /// # use carburetor::{clock::TimeSource, testing::ManualTime};
    /// # use chrono::{DateTime, TimeDelta};
    /// # let time = ManualTime::at(DateTime::UNIX_EPOCH + TimeDelta::days(2));
    /// time.advance(TimeDelta::days(-1));
    /// assert_eq!(time.now(), DateTime::UNIX_EPOCH + TimeDelta::days(1));
    /// ```
    pub fn advance(&self, by: TimeDelta) {
        // What no instant holds is no step.
        let by = by.num_microseconds().unwrap_or(0);
        self.now.fetch_add(by, Ordering::SeqCst);
    }
}

impl TimeSource for ManualTime {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.now.load(Ordering::SeqCst)).unwrap_or_default()
    }
}
