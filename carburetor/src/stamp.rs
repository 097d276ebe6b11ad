//! Stamps: instants in microseconds, never rounded up.

#[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
mod bind;

#[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
#[doc(hidden)]
pub use bind::StampBind;

use chrono::{DateTime, SubsecRound, Utc};

/// `instant` cut to microseconds.
///
/// ```
/// use chrono::{DateTime, Utc};
/// let instant: DateTime<Utc> = "2026-01-01T00:00:00.123456789Z".parse()?;
/// assert_eq!(carburetor::stamp::truncated(instant).to_rfc3339(), "2026-01-01T00:00:00.123456+00:00");
/// # Ok::<(), chrono::ParseError>(())
/// ```
pub fn truncated(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.trunc_subsecs(6)
}
