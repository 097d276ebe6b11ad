//! Whoever keeps a copy: what all of them have in common, and the loop that they run in.

use super::replica::{Difference, Truth};
use super::run::Run;
use std::thread;

/// Whoever keeps a copy by downloads.
pub(super) trait Downloader<A, E>: Send {
    fn name(&self) -> &str;
    /// One download.
    fn download(&mut self, run: &Run, random: &mut fastrand::Rng) -> Result<(), String>;
    fn compare(&self, truth: &Truth<A, E>) -> Difference;
    fn tally(&self) -> Tally;
}

/// What a downloader has counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub downloads: u64,
    pub delivered: u64,
    pub fresh: u64,
    /// Resets that nothing called for. They would hide what is lost.
    pub needless_resets: u64,
    /// Downloads after which the copy was of no single instant, where that was looked at.
    pub torn: Option<u64>,
}

/// Whose rows are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Must have every row.
    Ours,
    /// Must lose rows, or the run proves nothing.
    Naive,
    /// A better guess than the naive ones; it loses rows where transactions are long enough.
    Guess,
}

/// A downloader in a run.
pub(super) struct Competitor<A, E> {
    pub kind: Kind,
    /// Its downloads promise one instant.
    pub consistent: bool,
    pub downloader: Box<dyn Downloader<A, E>>,
}

/// How often each downloads after the last writer has finished.
const FINAL: usize = 3;

impl<A, E> Competitor<A, E> {
    /// Downloads until the writers have finished, then for the last times.
    pub(super) fn follow(&mut self, run: &Run, seed: u64) -> Result<(), String> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut last = 0;
        while last < FINAL {
            if run.overdue() {
                return Err(format!("{} can't keep up", self.downloader.name()));
            }
            if run.written() {
                last += 1;
            }
            self.downloader
                .download(run, &mut random)
                .map_err(|error| format!("{}: {error}", self.downloader.name()))?;
            run.counts.downloads();
            thread::sleep(run.poll);
        }
        Ok(())
    }
}
