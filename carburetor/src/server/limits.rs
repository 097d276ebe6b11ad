//! What one request may ask for.

use std::time::Duration;

/// What one request may ask for, and all of them together.
///
/// ```
/// use carburetor::server::Limits;
/// let limits = Limits { body: 1 << 20, ..Limits::default() };
/// assert_eq!(limits.batch, 10_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of an upload. 8 MiB by default.
    pub body: usize,
    /// The changes of an upload.
    pub batch: usize,
    /// The rows and removals of a page; a request may ask for fewer.
    pub page: u32,
    /// How long the body of an upload may take to come, and then an upload, the reading of a page or the wait for a connection. 30 s by default.
    pub time: Duration,
    /// How many downloads are under way at once.
    pub streams: usize,
    /// How many feeds are open at once.
    pub feeds: usize,
    /// How many of them within one scope.
    pub feeds_per_scope: usize,
    /// How long a feed stays open, 6 h by default.
    pub feed_time: Duration,
    /// How long what the extractor said of a caller holds, whose feed or download of lines is open; then it runs again. 1 min by default.
    /// [`Refresh`](super::Refresh) makes it run at once.
    pub scope_time: Duration,
    /// How many connections all feeds together read with.
    pub readers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body: 8 << 20,
            batch: 10_000,
            page: 10_000,
            time: Duration::from_secs(30),
            streams: 1000,
            feeds: 20_000,
            feeds_per_scope: 1000,
            feed_time: Duration::from_secs(6 * 3600),
            scope_time: Duration::from_secs(60),
            readers: 4,
        }
    }
}
