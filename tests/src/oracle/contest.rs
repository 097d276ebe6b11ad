//! The order of a run: writers and downloaders side by side, then the end of the writers, the last downloads, the comparison.

use super::downloader::Competitor;
use super::run::Run;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

/// Whatever writes until the run is over.
pub(super) type Write<'s> = Box<dyn FnOnce() -> Result<(), String> + Send + 's>;

/// Ends what writers have left open, and returns when it is told that they have all finished.
pub(super) type Finish<'s> = Box<dyn FnOnce(&dyn Fn() -> bool) -> Result<(), String> + Send + 's>;

/// Lets all of them go, and returns when every copy has been downloaded for the last time.
pub(super) fn hold<A: Send, E: Send>(
    run: &Run,
    writers: Vec<Write<'_>>,
    finish: Finish<'_>,
    competitors: &mut [Competitor<A, E>],
    seed: u64,
) -> Result<(), String> {
    let (finished, ended) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        // Whoever fails ends the run for all, so that nobody is waited for in vain.
        let guard = |result: Result<(), String>| {
            if result.is_err() {
                run.fail();
            }
            result
        };
        let writers: Vec<_> = writers
            .into_iter()
            .map(|write| scope.spawn(move || guard(write())))
            .collect();
        let finished = &finished;
        let finish = scope.spawn(move || guard(finish(&|| finished.load(SeqCst))));
        let downloaders: Vec<_> = competitors
            .iter_mut()
            .zip(seed..)
            .map(|(competitor, seed)| scope.spawn(move || guard(competitor.follow(run, seed))))
            .collect();
        let ended = &ended;
        let progress = scope.spawn(move || {
            let mut quarters = 0;
            while !ended.load(SeqCst) {
                thread::sleep(Duration::from_millis(250));
                quarters += 1;
                if quarters % 16 == 0 {
                    eprintln!("{:>4} s: {}", quarters / 4, run.counts);
                }
            }
        });
        let mut results: Vec<Result<(), String>> = Vec::new();
        results.extend(writers.into_iter().map(joined));
        finished.store(true, SeqCst);
        results.push(joined(finish));
        run.all_written();
        results.extend(downloaders.into_iter().map(joined));
        ended.store(true, SeqCst);
        results.push(progress.join().map_err(|_| "progress panicked".into()));
        eprintln!(" end: {}", run.counts);
        results.into_iter().collect()
    })
}

fn joined(thread: thread::ScopedJoinHandle<'_, Result<(), String>>) -> Result<(), String> {
    thread
        .join()
        .unwrap_or_else(|_| Err("a thread panicked".into()))
}
