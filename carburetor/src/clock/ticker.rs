//! What gives out the clocks of one replica or server.

use super::{Clock, ClockAhead, ClockExhausted, TimeSource};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How far another's clock may be ahead of the own time, unless a ticker is told otherwise: 60 s.
///
/// ```
/// assert_eq!(carburetor::clock::DEFAULT_DRIFT.as_secs(), 60);
/// ```
pub const DEFAULT_DRIFT: Duration = Duration::from_secs(60);

/// Gives out the clocks of one replica, or of a server: each greater than all that it gave out or saw before, whatever its time source does.
///
/// Shared by reference: every task of a server and every tab of a replica ticks the same one. Behind it is a lock, held for a few
/// instructions and never while the time is read.
///
#[doc = include_str!("../../docs/examples/ticker.md")]
#[derive(Debug)]
pub struct Ticker<T> {
    replica: u64,
    time: T,
    drift: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Nothing up to here is given out again.
    last: Clock,
    /// The greatest clock of others: what is written now came after it.
    seen: Clock,
    /// What the server's time is ahead of the time source.
    offset: TimeDelta,
}

impl<T: TimeSource> Ticker<T> {
    /// A ticker that has given out nothing yet. `replica` must be nobody else's id; the database's own is 0.
    ///
    /// ```
    /// # use carburetor::clock::{SystemTime, Ticker};
    /// assert_eq!(Ticker::new(7, SystemTime).tick()?.replica(), 7);
    /// # Ok::<(), carburetor::clock::ClockExhausted>(())
    /// ```
    pub fn new(replica: u64, time: T) -> Self {
        Ticker {
            replica,
            time,
            drift: DEFAULT_DRIFT,
            state: Mutex::default(),
        }
    }

    /// The ticker with another bound than [`DEFAULT_DRIFT`].
    ///
    /// ```
    /// # use carburetor::clock::{Clock, SystemTime, Ticker, TimeSource};
    /// # use chrono::TimeDelta;
    /// # use std::time::Duration;
    /// let strict = Ticker::new(7, SystemTime).with_drift(Duration::from_secs(5));
    /// let soon = Clock::of_database(SystemTime.now() + TimeDelta::seconds(10));
    /// assert!(strict.observe(soon).is_err());
    /// ```
    pub fn with_drift(self, drift: Duration) -> Self {
        Ticker { drift, ..self }
    }

    /// Goes on after `last`, the greatest clock that is stored: for a restart, before the first tick. A lesser one changes nothing.
    ///
    /// No bound holds here. Whoever stores each clock in the transaction of the write that has it never gives one out twice.
    ///
    /// ```
    /// # use carburetor::clock::{Clock, SystemTime, Ticker};
    /// let stored: Clock = "fff0000000000000000000000000002a".parse()?;
    /// let ticker = Ticker::new(0x2a, SystemTime);
    /// ticker.resume(stored);
    /// assert!(ticker.tick()? > stored);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume(&self, last: Clock) {
        let mut state = self.state();
        state.last = state.last.max(last);
    }

    /// The clock of a write that is made now.
    ///
    /// Its milliseconds are the time's, or those of the last clock where the time stands still or goes back; a counter that is full rolls into
    /// the next millisecond.
    ///
    /// ```
    /// # use carburetor::clock::{SystemTime, Ticker};
    /// # let ticker = Ticker::new(7, SystemTime);
    /// assert!(ticker.tick()? < ticker.tick()?);
    /// # Ok::<(), carburetor::clock::ClockExhausted>(())
    /// ```
    ///
    /// # Errors
    ///
    /// After the greatest clock that there is, in the year 10889: only a wrong time, or a wrong stored clock, leads there.
    pub fn tick(&self) -> Result<Clock, ClockExhausted> {
        let now = self.time.now();
        self.state().tick(now, self.replica)
    }

    /// Takes note of another's clock, so that what is written from now on is later.
    ///
    /// ```
    /// # use carburetor::clock::{Clock, SystemTime, Ticker};
    /// # let (mine, theirs) = (Ticker::new(7, SystemTime), Ticker::new(8, SystemTime));
    /// let seen = theirs.tick()?;
    /// mine.observe(seen)?;
    /// assert!(mine.tick()? > seen);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The clock is ahead of the own time by more than the bound. The ticker is then as before.
    pub fn observe(&self, clock: Clock) -> Result<(), ClockAhead> {
        let now = self.time.now();
        let mut state = self.state();
        let now = state.millis(now);
        let drift = u64::try_from(self.drift.as_millis()).unwrap_or(u64::MAX);
        if clock.millis() > now.saturating_add(drift) {
            return Err(ClockAhead {
                clock,
                now: Clock::new(now, 0, self.replica).instant(),
                drift: self.drift,
            });
        }
        state.last = state.last.max(clock);
        state.seen = state.seen.max(clock);
        Ok(())
    }

    /// The greatest clock given out, seen or resumed from: what a restart goes on from.
    ///
    /// ```
    /// # use carburetor::clock::{SystemTime, Ticker};
    /// # let ticker = Ticker::new(7, SystemTime);
    /// assert_eq!(ticker.tick()?, ticker.last());
    /// # Ok::<(), carburetor::clock::ClockExhausted>(())
    /// ```
    pub fn last(&self) -> Clock {
        self.state().last
    }

    /// From now on the time is the server's: what its clock is ahead of (or behind) the time source now is added until the next call.
    ///
    /// For a replica whose time is wrong: a server refused its upload as `clock_ahead`, or it refused the server's clock itself. Clocks that
    /// were given out stay as they are, and so does the order; [`renew`](Self::renew) makes those of unsent changes anew. The offset lives as
    /// long as the ticker does: a program that restarts asks the server again, or stores [`offset`](Self::offset).
    ///
    /// ```
    /// # use carburetor::clock::{SystemTime, Ticker, TimeSource};
    /// # use chrono::TimeDelta;
    /// let ticker = Ticker::new(7, SystemTime);
    /// let server_now = SystemTime.now() + TimeDelta::hours(1);
    /// ticker.follow(server_now);
    /// assert!(ticker.tick()?.millis() as i64 >= server_now.timestamp_millis() - 1);
    ///
    /// let stored = ticker.offset();
    /// let after_a_restart = Ticker::new(7, SystemTime);
    /// after_a_restart.follow(SystemTime.now() + stored);
    /// # Ok::<(), carburetor::clock::ClockExhausted>(())
    /// ```
    pub fn follow(&self, server_now: DateTime<Utc>) {
        let offset = server_now.signed_duration_since(self.time.now());
        self.state().offset = offset;
    }

    /// What is added to the time source: zero until the first [`follow`](Self::follow).
    ///
    /// ```
    /// # use carburetor::clock::{SystemTime, Ticker};
    /// assert!(Ticker::new(7, SystemTime).offset().is_zero());
    /// ```
    pub fn offset(&self) -> TimeDelta {
        self.state().offset
    }

    /// Gives unsent changes new clocks, in the order in which they stand: each greater than `after`, than all that the ticker has seen, and than the one
    /// before it. The only step back that a ticker makes, for clocks that were given out by a time far ahead of the server's.
    ///
    /// `after` is not below any clock of this replica that the server accepted, nor below any that it showed: the greater of the last download's clock
    /// and of the last accepted change's. `unsent` holds every change whose clock is greater, so that none is given out twice: a replica calls this in the transaction that
    /// stores the new clocks, while nothing else ticks.
    ///
    #[doc = include_str!("../../docs/examples/ticker_renew.md")]
    ///
    /// # Errors
    ///
    /// As [`tick`](Self::tick). Then neither the ticker nor `unsent` has changed.
    pub fn renew(&self, after: Clock, unsent: &mut [Clock]) -> Result<(), ClockExhausted> {
        let now = self.time.now();
        let mut state = self.state();
        let mut renewed = State {
            last: after.max(state.seen),
            ..*state
        };
        let clocks = unsent.iter().map(|_| renewed.tick(now, self.replica));
        let clocks: Vec<Clock> = clocks.collect::<Result<_, _>>()?;
        unsent.copy_from_slice(&clocks);
        *state = renewed;
        Ok(())
    }

    /// A state is written as a whole, so one that a panic left behind is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The time that counts, in milliseconds since 1970.
    fn millis(&self, now: DateTime<Utc>) -> u64 {
        let offset = self.offset.num_milliseconds();
        u64::try_from(now.timestamp_millis().saturating_add(offset)).unwrap_or(0)
    }

    fn tick(&mut self, now: DateTime<Utc>, replica: u64) -> Result<Clock, ClockExhausted> {
        let next = self.last.time.checked_add(1).ok_or(ClockExhausted)?;
        let now = Clock::new(self.millis(now), 0, replica);
        self.last = Clock {
            time: now.time.max(next),
            replica,
        };
        Ok(self.last)
    }
}
