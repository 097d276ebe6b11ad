//! Clocks: hybrid logical clocks, which say which of two writes came later, wherever they were made.
//!
//! A [`Clock`] is the value that travels and is stored, a [`Ticker`] gives them out, by the time of a [`TimeSource`].
//!
//! Written here rather than taken from the crate `uhlc`: the text of its timestamps has no fixed width, so it doesn't sort as they do; its time
//! source is a bare function, which no test can hold; and what was stored before a restart counts there only within the bound on others' clocks.

mod error;
mod ticker;
mod time;

pub use error::{ClockAhead, ClockExhausted};
pub use ticker::{DEFAULT_DRIFT, Ticker};
pub use time::{SystemTime, TimeSource};

use chrono::{DateTime, Utc};
use std::fmt;
use std::str::FromStr;

/// The hybrid logical clock of one write: the greater one wins.
///
/// 48 bits of milliseconds since 1970, a 16-bit counter and the 64-bit id of the replica that wrote; the database's own writes have the id 0.
/// As text 32 lower-case hexadecimal digits, whose order is the clock's order.
///
/// ```
/// use carburetor::clock::Clock;
/// let clock: Clock = "018bcfe568000001000000000000002a".parse()?;
/// assert_eq!((clock.millis(), clock.counter(), clock.replica()), (1_700_000_000_000, 1, 42));
/// assert!(clock < clock.successor());
/// assert_eq!(clock.to_string(), "018bcfe568000001000000000000002a");
/// # Ok::<(), carburetor::clock::ClockError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clock {
    /// Milliseconds and counter.
    time: u64,
    replica: u64,
}

/// The greatest number of milliseconds that a clock holds.
const MOST_MILLIS: u64 = (1 << 48) - 1;

impl Clock {
    /// Before every other clock.
    pub const ZERO: Clock = Clock {
        time: 0,
        replica: 0,
    };

    /// The clock of these parts; more milliseconds than 48 bits hold count as the most.
    ///
    /// ```
    /// # use carburetor::clock::Clock;
    /// assert_eq!(Clock::new(1, 2, 3).counter(), 2);
    /// ```
    pub const fn new(millis: u64, counter: u16, replica: u64) -> Self {
        let millis = if millis > MOST_MILLIS {
            MOST_MILLIS
        } else {
            millis
        };
        Clock {
            time: millis << 16 | counter as u64,
            replica,
        }
    }

    /// The clock of a write that the database itself made at `instant`: the microseconds within the millisecond are the counter.
    ///
    /// ```
    /// # use carburetor::clock::Clock;
    /// let instant = "2023-11-14T22:13:20.000007Z".parse()?;
    /// assert_eq!(Clock::of_database(instant), Clock::new(1_700_000_000_000, 7, 0));
    /// # Ok::<(), chrono::ParseError>(())
    /// ```
    pub fn of_database(instant: DateTime<Utc>) -> Self {
        Clock::of_micros(instant.timestamp_micros())
    }

    /// [`of_database`](Self::of_database), the instant given in microseconds since 1970.
    pub(crate) fn of_micros(micros: i64) -> Self {
        let micros = u64::try_from(micros).unwrap_or(0);
        // The remainder is below 1000.
        Clock::new(micros / 1000, (micros % 1000) as u16, 0)
    }

    /// Milliseconds since 1970.
    ///
    /// ```
    /// # use carburetor::clock::Clock;
    /// assert_eq!(Clock::ZERO.millis(), 0);
    /// ```
    pub const fn millis(self) -> u64 {
        self.time >> 16
    }

    /// The instant, to the millisecond.
    ///
    /// ```
    /// # use carburetor::clock::Clock;
    /// assert_eq!(Clock::new(1_700_000_000_000, 7, 0).instant().to_rfc3339(), "2023-11-14T22:13:20+00:00");
    /// ```
    pub fn instant(self) -> DateTime<Utc> {
        let millis = i64::try_from(self.millis()).unwrap_or(i64::MAX);
        DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// How many writes came before within the millisecond, or more.
    ///
    /// ```
    /// # use carburetor::clock::Clock;
    /// assert_eq!(Clock::ZERO.counter(), 0);
    /// ```
    pub const fn counter(self) -> u16 {
        (self.time & 0xffff) as u16
    }

    /// The replica that wrote; 0 is the database itself.
    ///
    /// ```
    /// # use carburetor::clock::Clock;
    /// assert_eq!(Clock::ZERO.replica(), 0);
    /// ```
    pub const fn replica(self) -> u64 {
        self.replica
    }

    /// The database's next clock: greater than this one, whichever replica wrote it.
    ///
    /// ```
    /// # use carburetor::clock::Clock;
    /// assert_eq!(Clock::new(5, u16::MAX, 9).successor(), Clock::new(6, 0, 0));
    /// ```
    pub const fn successor(self) -> Self {
        Clock {
            time: self.time.saturating_add(1),
            replica: 0,
        }
    }
}

impl Clock {
    /// The 32 digits. Uploads write several of them for each row, and the formatter takes ten times as long.
    fn digits(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let bytes = u128::from(self.time) << 64 | u128::from(self.replica);
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes.to_be_bytes()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        digits
    }

    /// The text, written into `digits`.
    pub(crate) fn write(self, digits: &mut [u8; 32]) -> &str {
        *digits = self.digits();
        std::str::from_utf8(digits).unwrap_or_default()
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write(&mut [0; 32]))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({self})")
    }
}

impl FromStr for Clock {
    type Err = ClockError;

    fn from_str(text: &str) -> Result<Self, ClockError> {
        let (time, replica) = text.as_bytes().split_at_checked(16).ok_or(ClockError)?;
        let half = |digits: &[u8]| {
            let digits: &[u8; 16] = digits.try_into().map_err(|_| ClockError)?;
            digits.iter().try_fold(0, |half, digit| match digit {
                b'0'..=b'9' => Ok(half << 4 | u64::from(digit - b'0')),
                b'a'..=b'f' => Ok(half << 4 | u64::from(digit - b'a' + 10)),
                _ => Err(ClockError),
            })
        };
        Ok(Clock {
            time: half(time)?,
            replica: half(replica)?,
        })
    }
}

/// Text that is not a clock.
///
/// ```
/// let error = "12".parse::<carburetor::clock::Clock>().unwrap_err();
/// assert_eq!(error.to_string(), "not a clock: 32 lower-case hexadecimal digits are expected");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockError;

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a clock: 32 lower-case hexadecimal digits are expected")
    }
}

impl std::error::Error for ClockError {}

impl serde::Serialize for Clock {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.write(&mut [0; 32]))
    }
}

impl<'de> serde::Deserialize<'de> for Clock {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
