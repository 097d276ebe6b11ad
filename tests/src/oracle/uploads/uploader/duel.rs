//! Uploads of several connections that are about one row at the same moment: who inserts it while others delete it, most often while it is gone.

use super::batch::Batch;
use super::{Site, Tables, Uploader};
use crate::oracle::view::Member;
use carburetor::SyncConnection;
use carburetor::group::{DownloadTables, UploadTables};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How far apart the moments are at which duels begin.
const MOMENT: Duration = Duration::from_millis(40);

impl<C> Uploader<'_, C>
where
    C: SyncConnection + Site,
    Tables: UploadTables<C::Backend, Member> + DownloadTables<C::Backend, Member>,
{
    /// Inserts or deletes the row that others insert or delete at this moment, until the run is over.
    pub(in crate::oracle::uploads) fn duel(&mut self) -> Result<(), String> {
        while !self.run.over() {
            let moment = next_moment();
            // Ahead of whatever else is written, so that of two that meet the later one has to stand.
            let change = self.draft(2).duel(moment);
            let batch = Batch {
                holds: Duration::from_millis(25),
                ..Batch::new(vec![change])
            };
            // Who is later need not come later.
            self.run.think(&mut self.random, MOMENT / 4);
            self.deliver(batch)?;
        }
        Ok(())
    }
}

/// Waits for the next of the moments that all uploaders have in common, and counts it.
fn next_moment() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let (now, length) = (now.unwrap_or_default().as_nanos(), MOMENT.as_nanos());
    let wait = (length - now % length) as u64;
    thread::sleep(Duration::from_nanos(wait));
    (now / length) as u64 + 1
}
