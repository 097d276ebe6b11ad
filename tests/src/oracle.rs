//! The oracle: writers whose transactions overlap, copies that downloads keep meanwhile, and their exact comparison with the tables.
//!
//! Naive downloads run beside ours on the same rows in the same run, and must lose some of them. Replicas upload to the same rows meanwhile; every
//! change of theirs is looked for at the end, and a naive twin that lets the last to arrive win must keep older ones.

mod asynchronous;
mod balance;
mod contest;
mod downloader;
mod follower;
mod history;
mod ledger;
mod naive;
mod operation;
mod options;
mod postgres;
mod prepared;
mod replica;
mod run;
mod sqlite;
mod uploads;
mod verdict;
mod view;
mod writer;

pub use options::{Mode, Options};
pub use replica::Difference;
pub use verdict::Verdict;

/// Runs it.
///
/// # Errors
///
/// A database that can't be used, or a download that fails.
pub fn run(options: &Options) -> Result<Verdict, String> {
    eprintln!(
        "{:?}, {} writers and {} uploaders for {} s, a download every {} ms, seed {}",
        options.mode,
        options.writers,
        options.uploaders,
        options.time.as_secs(),
        options.poll.as_millis(),
        options.seed
    );
    match options.mode {
        Mode::Sqlite => sqlite::run(options),
        Mode::Tracked | Mode::Untracked => postgres::run(options),
    }
}
