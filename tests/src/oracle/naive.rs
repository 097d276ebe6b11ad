//! Downloads as one writes them without thinking of open transactions. They must lose rows in the run in which ours lose none.

use super::downloader::{Downloader, Tally};
use super::ledger::Stored;
use super::replica::{Difference, Replica, Truth};
use super::run::Run;
use super::view::View;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use std::time::Duration;

/// Where the next download begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cutoff {
    /// The database's clock before the rows are read.
    Clock,
    /// The clock less a margin.
    ClockLess(Duration),
    /// The greatest stamp of the rows that were read.
    GreatestRead,
}

/// The clock of a database, in its own SQL.
pub(super) trait Clock {
    fn clock(&mut self) -> QueryResult<DateTime<Utc>>;
}

/// A copy without a truthful cutoff. It sees everything, and knows no removals.
pub(super) struct Naive<A, E, C> {
    name: &'static str,
    conn: C,
    cutoff: Cutoff,
    since: Option<DateTime<Utc>>,
    replica: Replica<A, E>,
    downloads: u64,
}

impl<A, E, C> Naive<A, E, C>
where
    A: Stored<C>,
    E: Stored<C>,
    C: Clock,
{
    pub(super) fn new(name: &'static str, conn: C, cutoff: Cutoff) -> Self {
        Naive {
            name,
            conn,
            cutoff,
            since: None,
            replica: Replica::new(),
            downloads: 0,
        }
    }

    fn step(&mut self) -> QueryResult<()> {
        let clock = self.conn.clock()?;
        let accounts = A::load(&mut self.conn, self.since)?;
        let entries = E::load(&mut self.conn, self.since)?;
        let next = match self.cutoff {
            Cutoff::Clock => Some(clock),
            Cutoff::ClockLess(margin) => Some(clock - margin),
            Cutoff::GreatestRead => {
                let accounts = accounts.iter().map(A::stamp).max();
                accounts.max(entries.iter().map(E::stamp).max())
            }
        };
        self.since = self.since.max(next);
        self.replica.take(accounts, entries);
        self.downloads += 1;
        Ok(())
    }
}

impl<A, E, C> Downloader<A, E> for Naive<A, E, C>
where
    A: Stored<C>,
    E: Stored<C>,
    C: Clock + Send,
{
    fn name(&self) -> &str {
        self.name
    }

    fn download(&mut self, _: &Run, _: &mut fastrand::Rng) -> Result<(), String> {
        self.step().map_err(|error| error.to_string())
    }

    fn compare(&self, truth: &Truth<A, E>) -> Difference {
        self.replica.compare(truth, &View::everything())
    }

    fn tally(&self) -> Tally {
        Tally {
            downloads: self.downloads,
            delivered: self.replica.delivered,
            fresh: self.replica.fresh,
            needless_resets: 0,
            torn: None,
        }
    }
}
