//! What all threads of one run share.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

/// One run, as its threads see it.
pub(super) struct Run {
    pub poll: Duration,
    end: Instant,
    written: AtomicBool,
    failed: AtomicBool,
    next_id: AtomicI64,
    pub counts: Counts,
}

/// What the writers and downloaders have done so far.
#[derive(Debug, Default)]
pub struct Counts {
    committed: AtomicU64,
    rolled_back: AtomicU64,
    prepared: AtomicU64,
    refused: AtomicU64,
    downloads: AtomicU64,
}

impl Run {
    pub(super) fn new(time: Duration, poll: Duration, first_id: i64) -> Self {
        Run {
            poll,
            end: Instant::now() + time,
            written: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            next_id: AtomicI64::new(first_id),
            counts: Counts::default(),
        }
    }

    /// No transaction begins any more.
    pub(super) fn over(&self) -> bool {
        self.failed.load(SeqCst) || Instant::now() >= self.end
    }

    /// Whoever has not finished by now doesn't.
    pub(super) fn overdue(&self) -> bool {
        Instant::now() >= self.end + Duration::from_secs(120)
    }

    /// Every transaction has ended.
    pub(super) fn written(&self) -> bool {
        self.written.load(SeqCst)
    }

    pub(super) fn all_written(&self) {
        self.written.store(true, SeqCst);
    }

    /// Somebody can't go on, so nobody needs to.
    pub(super) fn fail(&self) {
        self.failed.store(true, SeqCst);
    }

    /// `count` ids that nobody has had, beginning with the result.
    pub(super) fn ids(&self, count: i64) -> i64 {
        self.next_id.fetch_add(count, SeqCst)
    }

    /// The first id that nobody has had.
    pub(super) fn next_id(&self) -> i64 {
        self.next_id.load(SeqCst)
    }

    /// Thinks for less than `most`, and not at all once the run is over.
    pub(super) fn think(&self, random: &mut fastrand::Rng, most: Duration) {
        if !self.over() && !most.is_zero() {
            thread::sleep(most.mul_f64(random.f64()));
        }
    }
}

impl Counts {
    pub(super) fn committed(&self) {
        self.committed.fetch_add(1, SeqCst);
    }

    pub(super) fn rolled_back(&self) {
        self.rolled_back.fetch_add(1, SeqCst);
    }

    pub(super) fn prepared(&self) {
        self.prepared.fetch_add(1, SeqCst);
    }

    /// A lock that wasn't free in time, a deadlock, an id that was taken.
    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, SeqCst);
    }

    pub(super) fn downloads(&self) {
        self.downloads.fetch_add(1, SeqCst);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} transactions committed, {} prepared, {} rolled back, {} refused; {} downloads",
            self.committed.load(SeqCst),
            self.prepared.load(SeqCst),
            self.rolled_back.load(SeqCst),
            self.refused.load(SeqCst),
            self.downloads.load(SeqCst),
        )
    }
}
