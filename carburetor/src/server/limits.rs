//! What one request may ask for.

use std::time::Duration;

/// What one request may ask for, and all of them together. Limits may be added: name those that are to be others, and take `..Limits::default()` for the rest.
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
    /// The changes of an upload. 10,000 by default.
    pub batch: usize,
    /// The bytes of the rows that the changes of an upload are answered with, where they are several: one that would have more is to be sent in parts. 16 MiB by
    /// default.
    pub answer: usize,
    /// The rows and removals of a page; a request may ask for fewer. 10,000 by default.
    pub page: u32,
    /// How long the body of an upload may take to come, the wait for room not counted, and then an upload, the reading of a page or the wait for a connection. 30 s by default.
    pub time: Duration,
    /// How many downloads are under way at once. 1000 by default.
    pub streams: usize,
    /// How many of them within one scope. 200 by default.
    pub streams_per_scope: usize,
    /// How long whoever downloads or follows may take to read what was sent, until the next page can be: 30 s by default. Then it is over, and goes on from the last page that
    /// he has when he comes back.
    pub send_time: Duration,
    /// The bytes of all pages together that are read and not sent; half of them for those of which each is for one caller, half for those that several followers of a scope are told. Of
    /// each half a quarter within one scope, at most. One that is
    /// being read counts as 4 MiB. Who finds no room waits, for `time` at most. 256 MiB by
    /// default.
    pub waiting: usize,
    /// The bytes of all uploads together that are under way; a quarter of them within one scope, at most. One that still comes takes what has come. 64 MiB by
    /// default; what is made of them takes several times as much. Whoever begins where there is none left waits, for `time` at most. Of those of a scope that
    /// have begun and find none for the rest, the first waits; the others could wait for each other, and are told `busy`: they send again, as replicas do
    /// by themselves.
    pub bodies: usize,
    /// How many feeds are open at once. 20,000 by default.
    pub feeds: usize,
    /// How many of them within one scope. 1000 by default.
    pub feeds_per_scope: usize,
    /// How long a feed stays open, 6 h by default.
    pub feed_time: Duration,
    /// How long what the extractor said of a caller holds, whose feed or download of lines is open; then it runs again. 1 min by default.
    /// [`Refresh`](super::Refresh) makes it run at once. One that fails (a status of 500 and more, 408 or 429, or no answer within `time`) runs again for so long while nothing is sent;
    /// then what is open ends with `busy`.
    pub scope_time: Duration,
    /// How long what is under way may take when the server goes down, 20 s by default.
    pub grace: Duration,
    /// How many connections all feeds together read with. 4 by default.
    pub readers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body: 8 << 20,
            batch: 10_000,
            answer: 16 << 20,
            page: 10_000,
            time: Duration::from_secs(30),
            streams: 1000,
            streams_per_scope: 200,
            send_time: Duration::from_secs(30),
            waiting: 256 << 20,
            bodies: 64 << 20,
            feeds: 20_000,
            feeds_per_scope: 1000,
            feed_time: Duration::from_secs(6 * 3600),
            scope_time: Duration::from_secs(60),
            grace: Duration::from_secs(20),
            readers: 4,
        }
    }
}
