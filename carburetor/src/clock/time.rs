//! Where the time comes from.

use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Tells the time. A [`Ticker`](super::Ticker) reads no other clock, so a test sets its time by hand: `carburetor::testing::ManualTime`.
///
/// It may go back and forth as it likes; a ticker does not.
///
/// ```
/// use carburetor::clock::TimeSource;
/// use chrono::{DateTime, Utc};
///
/// /// The time that the server said last.
/// struct Told(DateTime<Utc>);
///
/// impl TimeSource for Told {
///     fn now(&self) -> DateTime<Utc> {
///         self.0
///     }
/// }
/// assert_eq!(Told(DateTime::UNIX_EPOCH).now(), DateTime::UNIX_EPOCH);
/// ```
pub trait TimeSource: Send + Sync {
    /// The time now.
    ///
    /// ```
    /// use carburetor::clock::{SystemTime, TimeSource};
    /// assert!(SystemTime.now().timestamp_millis() > 0);
    /// ```
    fn now(&self) -> DateTime<Utc>;
}

/// The operating system's time.
///
/// ```
/// use carburetor::clock::{SystemTime, Ticker};
/// let ticker = Ticker::new(7, SystemTime);
/// assert!(ticker.tick()? < ticker.tick()?);
/// # Ok::<(), carburetor::clock::ClockExhausted>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SystemTime;

impl TimeSource for SystemTime {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// For a time source that is chosen at run time: `Arc<dyn TimeSource>`.
impl<T: TimeSource + ?Sized> TimeSource for Arc<T> {
    fn now(&self) -> DateTime<Utc> {
        T::now(self)
    }
}
