//! What goes in one upload: changes of one replica, and what was committed together whole.

use super::cut::chosen;
use super::error::ReplicaError;
use super::file::Store;
use super::origin;
use super::outbox::{Which, freeze};
use super::portion::CHANGES;
use super::query::{self, BIND, Bind, as_text};
use super::relay;
use super::sending::{Sending, read, sending};
use super::stretch::Next;
use crate::clock::Clock;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;

/// So many changes, with so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) changes: usize,
    pub(super) bytes: usize,
}

impl Size {
    pub(super) fn holds(self, changes: &[Sending]) -> bool {
        // Each with the comma behind it.
        let bytes = changes.iter().map(|sending| sending.change.len() + 1);
        changes.len() <= self.changes && bytes.sum::<usize>() <= self.bytes
    }
}

/// How much goes in one upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// At most so much, unless a single change or what belongs together is more.
    pub(super) usual: Size,
    /// What belongs together is sent whole up to this, until it was too much itself.
    pub(super) whole: Size,
}

impl Default for Room {
    fn default() -> Self {
        Room::of(CHANGES)
    }
}

impl Room {
    /// For so many changes as the line and the server bear. What belongs together is whole, however little that is.
    pub(super) fn of(changes: u32) -> Self {
        let size = |changes: u32, bytes: usize| Size {
            changes: changes as usize,
            bytes,
        };
        let usual = size(changes, changes as usize * BYTES);
        Room {
            usual,
            // What every server takes unless it is told otherwise (PROTOCOL.md), less what goes around the changes.
            whole: size(10 * CHANGES, (8 << 20) - 256),
        }
    }

    /// At most so many changes, whatever belongs together.
    pub(super) fn at_most(self, changes: usize) -> Self {
        let at_most = |size: Size| Size {
            changes: size.changes.min(changes),
            ..size
        };
        Room {
            usual: at_most(self.usual),
            whole: at_most(self.whole),
        }
    }
}

/// How many bytes of changes one upload carries for each that it may carry, unless a single one has more.
pub(super) const BYTES: usize = 1 << 10;

/// What waits to be sent, of one replica and in the order of the clocks.
pub(super) struct Waiting {
    pub(super) changes: Vec<Sending>,
    /// The lowest clock that waits of other replicas.
    pub(super) others: Option<Clock>,
}

impl Store {
    /// The changes of the next upload, with its message. What was sent before and not answered is sent alike; what has been edited
    /// since waits, because it stands on the answer.
    pub(super) fn batch(
        &self,
        conn: &mut SqliteConnection,
        room: Room,
    ) -> Result<(Vec<Sending>, Vec<u8>), ReplicaError> {
        let group = || [Bind::text(&self.group)];
        // What the program writes from now on is of other transactions.
        if self.is_stretch_open(conn)? {
            self.end_stretch(conn)?;
        }
        let waits = format!(
            "select 1 from carburetor_sending where in_group = {BIND} and attempted limit 1"
        );
        let batch = match query::exists(conn, &waits, group())? {
            true => chosen(self.waiting(conn, "attempted")?, room, false)?,
            false => self.fresh(conn, room)?,
        };
        if batch.is_empty() {
            return Ok((batch, Vec::new()));
        }
        let seqs: Vec<i64> = batch.iter().map(|sending| sending.seq).collect();
        let attempted = format!(
            "update carburetor_sending set attempted = max(attempted, 1) where seq in (select value from json_each({BIND}))"
        );
        query::execute(conn, &attempted, [Bind::json(&seqs)?])?;
        // What is held, or waits while later changes were answered, is still to be asked for.
        let confirmed = query::value(
            conn,
            &format!(
                "select confirmed from carburetor_group where name = {BIND}
  and not exists (select 1 from carburetor_held_change as held where held.in_group = name and held.clock <= confirmed)
  and not exists (select 1 from carburetor_sending as sending where sending.in_group = name and sending.clock <= confirmed
    and substr(sending.clock, 17) = substr(confirmed, 17))"
            ),
            group(),
        )?;
        let changes = relay::based(conn, self, &batch)?;
        let confirmed = confirmed.is_some().then(|| as_text(&confirmed));
        let origin = origin::known(conn, &self.group)?;
        let message = message(
            confirmed.as_deref(),
            origin.as_deref(),
            changes.iter().map(String::as_str),
        );
        Ok((batch, message))
    }

    /// Changes that were not sent yet.
    fn fresh(&self, conn: &mut SqliteConnection, room: Room) -> Result<Vec<Sending>, ReplicaError> {
        loop {
            let next = self.next(conn, room.usual, room.whole)?;
            let frozen = match next {
                None => 0,
                Some(Next::Whole(border)) => self.freeze(conn, &Which::Whole(border))?,
                Some(Next::Part(border)) => self.part(conn, border, room.usual.changes)?,
            };
            let waiting = self.waiting(conn, "not attempted")?;
            let batch = chosen(waiting, room, matches!(next, Some(Next::Part(_))))?;
            // What can't travel is kept aside, so that nothing may be left of what was frozen.
            if frozen == 0 || !batch.is_empty() {
                return Ok(batch);
            }
        }
    }

    /// What waits of the replica with the lowest clock. Of a device of this hub that is not all, but what belongs together is not cut.
    fn waiting(
        &self,
        conn: &mut SqliteConnection,
        condition: &str,
    ) -> Result<Waiting, ReplicaError> {
        let first = sending(conn, &self.group, condition, 1)?;
        let (Some(first), true) = (first.first(), self.is_hub()) else {
            let changes = sending(conn, &self.group, condition, usize::MAX >> 1)?;
            return Ok(Waiting {
                changes,
                others: None,
            });
        };
        let replica = format!("{:016x}", first.clock.replica());
        let of = |is: &str| {
            format!(
                "from carburetor_sending where in_group = {BIND} and {condition} and substr(clock, 17) {is} '{replica}'"
            )
        };
        let group = || [Bind::text(&self.group)];
        let others = query::value(conn, &format!("select min(clock) {}", of("<>")), group())?;
        let sql = format!(
            "select seq, clock, change, since, stretch, attempted {0} and (not (clock in (select clock from carburetor_relay))
    or stretch <= (select max(stretch) from (select stretch {0} order by clock limit {1}))) order by clock",
            of("="),
            Room::default().whole.changes + 1,
        );
        Ok(Waiting {
            changes: read(conn, &sql, group().into_iter().chain(group()))?,
            others: as_text(&others).parse().ok(),
        })
    }

    /// Freezes a part of what is too much for one upload: deletions when all else is frozen.
    fn part(
        &self,
        conn: &mut SqliteConnection,
        border: i64,
        most: usize,
    ) -> Result<usize, ReplicaError> {
        match self.freeze(conn, &Which::Edits(border, most))? {
            0 => self.freeze(conn, &Which::Deletions(border, most)),
            frozen => Ok(frozen),
        }
    }

    fn freeze(
        &self,
        conn: &mut SqliteConnection,
        which: &Which<'_>,
    ) -> Result<usize, ReplicaError> {
        freeze(conn, &self.tables, &self.group, which)
    }
}

/// The greatest clock of a batch.
pub(super) fn last_clock(batch: &[Sending]) -> Option<Clock> {
    batch.iter().map(|sending| sending.clock).max()
}

/// An upload of `changes`.
pub(super) fn message<'c>(
    confirmed: Option<&str>,
    origin: Option<&str>,
    changes: impl Iterator<Item = &'c str>,
) -> Vec<u8> {
    let mut message = format!("{{\"carburetor\":{},", crate::wire::VERSION);
    if let Some(confirmed) = confirmed {
        message += &format!("\"confirmed\":\"{confirmed}\",");
    }
    if let Some(origin) = origin {
        // Text of a server's.
        message += &format!("\"origin\":{},", Value::from(origin));
    }
    let changes: Vec<&str> = changes.collect();
    message += &format!("\"changes\":[{}]}}", changes.join(","));
    message.into_bytes()
}
