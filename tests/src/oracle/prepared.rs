//! Transactions that were prepared, and wait for somebody else to end them.

use super::run::Run;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

/// The prepared transactions of one run.
pub(super) struct Prepared {
    slots: u64,
    number: AtomicU64,
    waiting: Mutex<Vec<Waiting>>,
}

struct Waiting {
    name: String,
    until: Instant,
    commit: bool,
}

/// How long one may wait: well beyond the margin of an untracked cutoff, which must not be what saves its rows.
const WAIT: Duration = Duration::from_secs(5);

impl Prepared {
    /// `slots` is the server's `max_prepared_transactions`.
    pub(super) fn new(slots: u64) -> Self {
        Prepared {
            slots,
            number: AtomicU64::new(0),
            waiting: Mutex::default(),
        }
    }

    /// Whether the server has room for another one.
    pub(super) fn possible(&self) -> bool {
        (self.waiting.lock().expect("nobody panics").len() as u64) < self.slots / 2
    }

    /// A name for the next one.
    pub(super) fn name(&self) -> String {
        let number = self.number.fetch_add(1, SeqCst);
        format!("carburetor_oracle_{}_{number}", std::process::id())
    }

    /// Leaves a transaction that has just been prepared; some are to be rolled back.
    pub(super) fn leave(&self, name: String, random: &mut fastrand::Rng) {
        let waiting = Waiting {
            name,
            until: Instant::now() + WAIT.mul_f64(random.f64()),
            commit: random.u8(..4) > 0,
        };
        self.waiting.lock().expect("nobody panics").push(waiting);
    }

    /// Ends them as they become due. The last ones are ended when `finished` says that no more will come.
    pub(super) fn end(
        &self,
        conn: &mut PgConnection,
        run: &Run,
        finished: impl Fn() -> bool,
    ) -> QueryResult<()> {
        loop {
            let last = finished();
            let due: Vec<Waiting> = {
                let mut waiting = self.waiting.lock().expect("nobody panics");
                let (due, rest) = waiting
                    .drain(..)
                    .partition(|one| last || one.until <= Instant::now());
                *waiting = rest;
                due
            };
            for one in due {
                if one.commit {
                    conn.batch_execute(&format!("commit prepared '{}'", one.name))?;
                    run.counts.committed();
                } else {
                    conn.batch_execute(&format!("rollback prepared '{}'", one.name))?;
                    run.counts.rolled_back();
                }
            }
            if last {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}
