//! Stamps as SQLite stores them.

use crate::stamp::truncated;
use crate::table::Storage;
use chrono::{DateTime, Utc};

/// A stamp as the triggers write it, ready to be bound beside the stamp's column.
///
/// ```
/// use carburetor::table::Storage;
/// use carburetor::tracking::sqlite::{StampValue, stamp_value};
/// let stamp = stamp_value(Storage::Integer, chrono::DateTime::UNIX_EPOCH);
/// assert_eq!(stamp, StampValue::Micros(0));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StampValue {
    /// Text, always with six digits of a second, so that the order of the text is the order in time.
    Text(String),
    /// Microseconds since 1970.
    Micros(i64),
}

/// `instant`, never rounded up, in the form that the triggers write into a stamp stored as `storage`.
///
/// ```
/// use carburetor::table::Storage;
/// use carburetor::tracking::sqlite::{StampValue, stamp_value};
/// let instant = "2026-01-02T03:04:05.0000067Z".parse()?;
/// assert_eq!(stamp_value(Storage::Timestamptz, instant), StampValue::Text("2026-01-02 03:04:05.000006+00:00".into()));
/// assert_eq!(stamp_value(Storage::Timestamp, instant), StampValue::Text("2026-01-02 03:04:05.000006".into()));
/// # Ok::<(), chrono::ParseError>(())
/// ```
pub fn stamp_value(storage: Storage, instant: DateTime<Utc>) -> StampValue {
    let instant = truncated(instant);
    match storage {
        Storage::Integer => StampValue::Micros(instant.timestamp_micros()),
        Storage::Timestamp => StampValue::Text(instant.format("%Y-%m-%d %H:%M:%S%.6f").to_string()),
        _ => StampValue::Text(instant.format("%Y-%m-%d %H:%M:%S%.6f+00:00").to_string()),
    }
}

/// The SQL expression that turns `micros` into a stamp stored as `storage`; the twin of [`stamp_value`].
pub(crate) fn stamp_expression(storage: Storage, micros: &str) -> String {
    let offset = match storage {
        Storage::Integer => return micros.to_owned(),
        Storage::Timestamp => "",
        _ => "+00:00",
    };
    format!(
        "strftime('%Y-%m-%d %H:%M:%S', {micros} / 1000000, 'unixepoch') || printf('.%06d{offset}', {micros} % 1000000)"
    )
}
