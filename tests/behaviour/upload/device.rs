//! A replica as far as uploads know one.

use carburetor::change::{Change, Changes, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::{Outcome, Verdict};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU16, Ordering};

/// A replica's id and its clock, which a test sets.
#[derive(Debug, Clone)]
pub(super) struct Device {
    replica: u64,
    last: Clock,
    /// What the system says, where a test has set it.
    time: Option<u64>,
}

impl Device {
    /// A replica whose time is the system's.
    pub(super) fn new(replica: u64) -> Self {
        Device {
            replica,
            last: Clock::ZERO,
            time: None,
        }
    }

    /// A replica whose time stands still so many minutes before now. None gives out a clock that another one of the same id gave out.
    pub(super) fn ago(replica: u64, minutes: u64) -> Self {
        Device::standing(replica, system() - minutes * 60_000)
    }

    /// A replica whose time stands still so many seconds after now: it writes later than whoever has the right time.
    pub(super) fn ahead(replica: u64, seconds: u64) -> Self {
        Device::standing(replica, system() + seconds * 1000)
    }

    /// A replica whose time stands still.
    pub(super) fn standing(replica: u64, millis: u64) -> Self {
        static MADE: AtomicU16 = AtomicU16::new(0);
        let counter = MADE.fetch_add(16, Ordering::Relaxed);
        Device {
            replica,
            last: Clock::new(millis, counter, replica),
            time: Some(millis),
        }
    }

    /// The next clock: the system's time, or one more than the last.
    pub(super) fn tick(&mut self) -> Clock {
        self.tick_at(self.time.unwrap_or_else(system))
    }

    /// The next clock of a replica whose system says `millis`.
    pub(super) fn tick_at(&mut self, millis: u64) -> Clock {
        let now = Clock::new(millis, 0, self.replica);
        self.last = match now > self.last {
            true => now,
            false => Clock::new(self.last.millis(), self.last.counter() + 1, self.replica),
        };
        self.last
    }

    /// What is edited from now on is later than `clock`.
    pub(super) fn observe(&mut self, clock: Clock) {
        self.last = self
            .last
            .max(Clock::new(clock.millis() + 1, 0, self.replica));
    }

    pub(super) fn insert(&mut self, table: &str, row: Value) -> Change {
        let id = row["id"].clone();
        let columns = object(row);
        change(table, id, self.tick(), Edit::Insert(columns))
    }

    pub(super) fn update(&mut self, table: &str, id: impl Into<Value>, columns: Value) -> Change {
        change(table, id.into(), self.tick(), Edit::Update(object(columns)))
    }

    pub(super) fn delete(&mut self, table: &str, id: impl Into<Value>) -> Change {
        change(table, id.into(), self.tick(), Edit::Delete)
    }
}

/// The system's time in milliseconds.
pub(super) fn system() -> u64 {
    u64::try_from(Utc::now().timestamp_millis()).unwrap()
}

pub(super) fn change(table: &str, id: Value, clock: Clock, edit: Edit) -> Change {
    Change::new(table, id, clock, edit)
}

/// The same change, made on a row of this stamp.
pub(super) trait On {
    fn on_stamp(self, stamp: DateTime<Utc>) -> Self;
}

impl On for Change {
    fn on_stamp(mut self, stamp: DateTime<Utc>) -> Self {
        self.base = Some(stamp);
        self
    }
}

pub(super) fn changes(changes: impl IntoIterator<Item = Change>) -> Changes {
    Changes::new(changes.into_iter().collect())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("no object: {other}"),
    }
}

/// The stamp of an outcome's row, whether it was applied or the row came with it.
pub(super) fn stamp(outcome: &Outcome) -> DateTime<Utc> {
    match (&outcome.verdict, outcome.stamp, &outcome.row) {
        (Verdict::Applied, Some(stamp), _) => stamp,
        (_, _, Some(row)) => row["at"].as_str().unwrap().parse().unwrap(),
        other => panic!("no stamp: {other:?} {}", json!(outcome)),
    }
}
