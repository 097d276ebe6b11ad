//! How much goes over the line at once: as much as the line and the server bear, found out by trying and remembered in the file.
//!
//! What fails for its size, or breaks off, is halved. What succeeds grows: by doubling up to half of what failed last, from there by little steps
//! that double.

use super::batch::BYTES;
use super::error::ReplicaError;
use super::pages::Came;
use super::query::{self, BIND, Bind, as_integer};
use super::sending::Sending;
use super::sync::{Shared, count};
use super::transport::TransportError;
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What takes longer is too much at once, although it succeeded: a line that is cut takes all of it along.
const LONG: Duration = Duration::from_secs(10);

/// So often what is borne has to succeed before more is tried.
const HOLD: u32 = 4;

/// How many changes one upload carries at most.
pub(super) const CHANGES: u32 = 1000;

/// How many rows a page has at most.
pub(super) const ROWS: u32 = 10_000;

/// What goes in portions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Changes of an upload.
    Upload,
    /// Rows of a page.
    Page,
}

impl Of {
    fn most(self) -> u32 {
        match self {
            Of::Upload => CHANGES,
            Of::Page => ROWS,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Of::Upload => "upload",
            Of::Page => "page",
        }
    }
}

/// How much goes over the line at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Portion {
    of: Of,
    now: u32,
    /// Up to here it grows fast: half of what failed last.
    fast: u32,
    /// How often it has succeeded since, in a row.
    steps: u32,
    /// The last attempt failed: what fails next says nothing new of how much is too much.
    has_failed: bool,
}

impl Portion {
    /// All that is taken at once.
    pub(super) fn whole(of: Of) -> Self {
        Portion {
            of,
            now: of.most(),
            fast: of.most(),
            steps: 0,
            has_failed: false,
        }
    }

    /// So many changes, or rows.
    pub(super) fn limit(self) -> u32 {
        self.now
    }

    /// After it was too much.
    #[must_use]
    pub(super) fn less(self) -> Self {
        let half = (self.now / 2).max(1);
        Portion {
            now: half,
            fast: if self.has_failed { self.fast } else { half },
            steps: 0,
            has_failed: true,
            ..self
        }
    }

    /// After so many were too much. Where the server says so, it is for their number, and not for the line.
    #[must_use]
    pub(super) fn less_than(self, sent: u32, refused: &TransportError) -> Self {
        match refused.asks_for_less() {
            true => Portion {
                now: self.now.min(sent),
                ..self
            }
            .less(),
            false => self.less(),
        }
    }

    /// After so much has succeeded, within so long.
    #[must_use]
    pub(super) fn went(self, sent: u32, took: Duration) -> Self {
        let went = Portion {
            has_failed: false,
            ..self
        };
        if took > LONG {
            return Portion {
                has_failed: false,
                ..went.less()
            };
        }
        let is_full = sent >= self.now.div_ceil(2);
        // It was no less before, and failed: that was for something else. The last page is short, whatever was too much before it.
        if self.of == Of::Upload && self.has_failed && !is_full && took <= LONG / 2 {
            return Portion {
                now: self.fast.saturating_mul(2).min(self.of.most()),
                ..went
            };
        }
        // What was not full says nothing of how much is too much.
        if took > LONG / 2 || !is_full {
            return went;
        }
        let (more, steps) = match self.now < self.fast {
            true => (self.now.saturating_mul(2).min(self.fast), 0),
            false => (
                self.now.saturating_add(self.step()),
                (self.steps + 1).min(HOLD + 16),
            ),
        };
        Portion {
            now: more.min(self.of.most()),
            steps,
            ..went
        }
    }

    /// By how much it grows beyond what grows fast: at first not at all, then by steps that double.
    fn step(self) -> u32 {
        match self.steps.checked_sub(HOLD) {
            Some(doubled) => (self.fast / 8).max(1).saturating_mul(1 << doubled),
            None => 0,
        }
    }

    /// After so many changes with so many bytes were answered, within so long.
    #[must_use]
    pub(super) fn after_upload(self, sent: u32, bytes: usize, took: Duration) -> Self {
        let as_changes = u32::try_from(bytes / BYTES).unwrap_or(u32::MAX);
        self.went(sent.max(as_changes), took)
    }

    /// What is remembered for a group.
    pub(super) fn read(conn: &mut SqliteConnection, group: &str, of: Of) -> QueryResult<Self> {
        let sql = format!(
            "select now, fast, steps, has_failed from carburetor_portion where in_group = {BIND} and what = {BIND}"
        );
        let known = query::rows(conn, &sql, [group, of.name()].map(Bind::text))?;
        Ok(match known.first() {
            Some(row) => {
                let known = |place: usize| {
                    u32::try_from(as_integer(&row[place])).map_or(1, |n| n.clamp(1, of.most()))
                };
                Portion {
                    of,
                    now: known(0),
                    fast: known(1),
                    steps: u32::try_from(as_integer(&row[2]))
                        .map_or(0, |steps| steps.min(HOLD + 16)),
                    has_failed: as_integer(&row[3]) != 0,
                }
            }
            None => Portion::whole(of),
        })
    }

    /// Remembers `now` in its place, if that is another one.
    pub(super) fn replace(
        self,
        now: Self,
        conn: &mut SqliteConnection,
        group: &str,
    ) -> QueryResult<()> {
        if self == now {
            return Ok(());
        }
        let sql = format!(
            "insert or replace into carburetor_portion (in_group, what, now, fast, steps, has_failed) values ({BIND}, {BIND}, {}, {}, {}, {})",
            now.now,
            now.fast,
            now.steps,
            i32::from(now.has_failed)
        );
        query::execute(conn, &sql, [group, now.of.name()].map(Bind::text))?;
        Ok(())
    }
}

impl Shared {
    /// How much of it goes over the line at once.
    pub(super) async fn portion(&self, of: Of) -> Result<Portion, ReplicaError> {
        self.read(move |store, conn| Ok(Portion::read(conn, &store.group, of)?))
            .await
    }

    /// Remembers `now` in the place of `before`.
    pub(super) async fn remember(&self, before: Portion, now: Portion) -> Result<(), ReplicaError> {
        if before == now {
            return Ok(());
        }
        self.transact(move |store, conn| Ok(before.replace(now, conn, &store.group)?))
            .await
    }

    /// Remembers that the server, the line, or what stands between has not borne the changes of an upload; `true` if less is to be tried at once.
    pub(super) async fn bears_less(
        &self,
        portion: Portion,
        batch: &[Sending],
        refused: &TransportError,
    ) -> Result<bool, ReplicaError> {
        if !self.tells_of_size(refused) {
            return Ok(false);
        }
        let is_cut = self.blame(batch, refused).await?;
        let sent = count(batch);
        Ok(self.take_less(portion, sent, refused).await? || is_cut && refused.asks_for_less())
    }

    /// Whether a failure says something of how much goes at once. Where there is no line at all, that says nothing: something has to have come since
    /// the last one broke.
    pub(super) fn tells_of_size(&self, refused: &TransportError) -> bool {
        let is_line = matches!(refused, TransportError::Offline(_));
        let was_reached = self.turns.reached.swap(!is_line, Ordering::Relaxed);
        refused.is_of_size() && (!is_line || was_reached || self.monitor.is_followed())
    }

    /// Remembers that so many were too much; `true` if fewer are to be tried at once.
    pub(super) async fn take_less(
        &self,
        portion: Portion,
        sent: u32,
        refused: &TransportError,
    ) -> Result<bool, ReplicaError> {
        let less = portion.less_than(sent, refused);
        self.remember(portion, less).await?;
        // What would be tried again alike is a failure.
        Ok(refused.asks_for_less() && sent > 1 && less != portion)
    }

    /// Pages have come to their end.
    pub(super) async fn pages_came(
        &self,
        portion: Portion,
        came: Came,
    ) -> Result<(), ReplicaError> {
        let most = u32::try_from(came.most).unwrap_or(u32::MAX);
        self.remember(portion, portion.went(most, came.longest))
            .await
    }

    /// Pages have broken off. Where not even one has come whole, they are too long.
    pub(super) async fn page_failed(
        &self,
        portion: Portion,
        came: Came,
        error: &ReplicaError,
    ) -> Result<(), ReplicaError> {
        let ReplicaError::Transport(error) = error else {
            return Ok(());
        };
        let is_cut = error.is_of_size() || matches!(error, TransportError::Unreadable(_));
        match is_cut && came.pages == 0 {
            true => self.remember(portion, portion.less()).await,
            false => Ok(()),
        }
    }
}

impl TransportError {
    /// It may have been too much for the line or the server.
    pub(super) fn is_of_size(&self) -> bool {
        match self {
            TransportError::Offline(error) => !is_unreached(&**error),
            TransportError::Refused { status, .. } => {
                matches!(status, 408 | 413 | 502 | 503 | 504)
            }
            _ => false,
        }
    }

    /// The server is there, and takes less at once.
    pub(super) fn asks_for_less(&self) -> bool {
        match self {
            TransportError::Refused { status, code, .. } => {
                matches!(status, 408 | 413) || code == "time"
            }
            _ => false,
        }
    }
}

/// Nothing went over the line, because there was none.
#[cfg(feature = "http")]
fn is_unreached(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut reasons = std::iter::successors(Some(error), |error| error.source());
    let of_http = reasons.find_map(|error| error.downcast_ref::<reqwest::Error>());
    of_http.is_some_and(reqwest::Error::is_connect)
}

#[cfg(not(feature = "http"))]
fn is_unreached(_: &(dyn std::error::Error + 'static)) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::{CHANGES, HOLD, Of, Portion};
    use std::time::Duration;

    /// Sends so many in all over a line that bears `most` at once, and returns what was tried.
    fn tried(portion: &mut Portion, mut waiting: u32, most: u32) -> Vec<u32> {
        let mut tried = Vec::new();
        while waiting > 0 {
            let sent = portion.limit().min(waiting);
            tried.push(sent);
            match sent <= most {
                true => {
                    waiting -= sent;
                    *portion = portion.went(sent, Duration::ZERO);
                }
                false => *portion = portion.less(),
            }
            assert!(tried.len() < 10_000, "it makes no progress: {tried:?}");
        }
        tried
    }

    #[test]
    fn a_portion_finds_what_the_line_bears_and_stays_near_it() {
        for most in [1, 2, 7, 40, 333, 999] {
            let mut portion = Portion::whole(Of::Upload);
            let tried = tried(&mut portion, most * 100, most);
            let failed = tried.iter().filter(|sent| **sent > most).count();
            let mean = f64::from(most * 100) / (tried.len() - failed) as f64;
            assert!(mean >= f64::from(most) / 2.0, "{most}: {tried:?}");
            assert!(failed <= 10 + tried.len() / 3, "{most}: {tried:?}");
        }
    }

    #[test]
    fn a_portion_is_whole_again_soon_when_the_line_is() {
        let mut portion = Portion::whole(Of::Upload);
        for _ in 0..40 {
            portion = portion.less();
        }
        assert_eq!(portion.limit(), 1);
        let tried = tried(&mut portion, 20 * CHANGES, CHANGES);
        assert_eq!(portion.limit(), CHANGES, "{tried:?}");
        assert!(tried.len() < 40, "{tried:?}");
    }

    #[test]
    fn what_gets_lost_and_then_passes_as_it_was_makes_no_portion_less() {
        let mut portion = Portion::whole(Of::Upload);
        for lost in [1, 3, 5, 2] {
            portion = (0..lost).fold(portion, |portion, _| portion.less());
            portion = portion.went(3, Duration::ZERO);
            assert_eq!(portion.limit(), CHANGES, "after {lost}");
        }
    }

    #[test]
    fn what_takes_long_becomes_less_and_what_is_not_full_says_nothing() {
        let long = Portion::whole(Of::Page).went(10_000, Duration::from_secs(30));
        assert_eq!(long.limit(), 5000);
        assert_eq!(long.went(10, Duration::ZERO), long);
        assert_eq!(long.went(5000, Duration::from_secs(8)), long);
        let short = |portion: Portion| portion.went(5000, Duration::from_secs(1));
        let held = (0..HOLD).fold(long, |portion, _| short(portion));
        assert_eq!((held.limit(), short(held).limit()), (5000, 5625));
    }
}
