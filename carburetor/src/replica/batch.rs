//! What goes in one upload: changes of one replica, and what was committed together whole.

use super::error::ReplicaError;
use super::file::Store;
use super::origin;
use super::outbox::{Sending, Which, freeze, read, sending};
use super::portion::CHANGES;
use super::query::{self, BIND, Bind, as_text};
use super::relay;
use super::stretch::Next;
use crate::change::Edit;
use crate::clock::Clock;
use crate::wire::WireError;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;

/// So many changes, with so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) changes: usize,
    pub(super) bytes: usize,
}

impl Size {
    fn holds(self, changes: &[Sending]) -> bool {
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
    /// What belongs together is sent whole up to this.
    pub(super) whole: Size,
}

impl Default for Room {
    fn default() -> Self {
        Room::of(CHANGES)
    }
}

/// From how many changes on what belongs together is sent whole, although a line or a server has failed at more.
const TOGETHER: u32 = CHANGES / 8;

impl Room {
    /// For so many changes as the line and the server bear. What belongs together is cut only where they bear little.
    pub(super) fn of(changes: u32) -> Self {
        let size = |changes: u32, bytes: usize| Size {
            changes: changes as usize,
            bytes,
        };
        let usual = size(changes, changes as usize * BYTES);
        let whole = match changes >= TOGETHER {
            // What every server takes unless it is told otherwise (PROTOCOL.md), less what goes around the changes.
            true => size(10 * CHANGES, (8 << 20) - 256),
            false => usual,
        };
        Room { usual, whole }
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
struct Waiting {
    changes: Vec<Sending>,
    /// The lowest clock that waits of other replicas.
    others: Option<Clock>,
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
            "update carburetor_sending set attempted = 1 where seq in (select value from json_each({BIND}))"
        );
        let seqs =
            serde_json::to_string(&seqs).map_err(|error| WireError::new(error.to_string()))?;
        query::execute(conn, &attempted, [Bind::text(seqs)])?;
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
            "select seq, clock, change, since, stretch {0} and (not (clock in (select clock from carburetor_relay))
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

/// What of `waiting`, in the order of the clocks, goes in one upload: what belongs together whole, unless that is more than the server takes
/// at once. Its deletions come last then, in uploads of their own, so that none takes along what a later part is about.
fn chosen(waiting: Waiting, room: Room, is_part: bool) -> Result<Vec<Sending>, ReplicaError> {
    let Waiting {
        changes: mut waiting,
        others,
    } = waiting;
    if waiting.is_empty() {
        return Ok(waiting);
    }
    let ends = ends(&waiting);
    let fits = |end: &&usize| room.usual.holds(&waiting[..**end]);
    // What others did meanwhile comes in between.
    let is_next =
        |begin: usize| begin == 0 || others.is_none_or(|clock| waiting[begin].clock < clock);
    let begins = [0].into_iter().chain(ends.iter().copied());
    let fit = ends
        .iter()
        .zip(begins)
        .take_while(|(end, begin)| fits(end) && is_next(*begin));
    let whole = match fit.last() {
        Some((end, _)) => Some(*end),
        None => ends
            .first()
            .copied()
            .filter(|end| room.whole.holds(&waiting[..*end])),
    };
    match whole {
        Some(end) if !is_part => {
            waiting.truncate(end);
            Ok(waiting)
        }
        _ => {
            waiting.truncate(ends.first().copied().unwrap_or(waiting.len()));
            part(waiting, room.usual)
        }
    }
}

/// Behind which changes something ends that belongs together: nothing reaches over it.
fn ends(waiting: &[Sending]) -> Vec<usize> {
    let mut begins = i64::MAX;
    let mut later: Vec<i64> = waiting
        .iter()
        .rev()
        .map(|sending| {
            begins = begins.min(sending.since);
            begins
        })
        .collect();
    later.reverse();
    let mut reach = i64::MIN;
    let mut ends = Vec::new();
    for (place, sending) in waiting.iter().enumerate() {
        reach = reach.max(sending.stretch);
        if later.get(place + 1).is_none_or(|since| *since > reach) {
            ends.push(place + 1);
        }
    }
    ends
}

/// The next part of what is cut: deletions where nothing else is left.
fn part(cut: Vec<Sending>, size: Size) -> Result<Vec<Sending>, ReplicaError> {
    let (mut edits, mut deletions) = (Vec::new(), Vec::new());
    for sending in cut {
        match sending.read()?.edit {
            Edit::Delete => deletions.push(sending),
            _ => edits.push(sending),
        }
    }
    let part = if edits.is_empty() { deletions } else { edits };
    Ok(within(part, size))
}

/// The first of `changes`, as many as `size` holds, and at least one.
fn within(mut changes: Vec<Sending>, size: Size) -> Vec<Sending> {
    let mut bytes = 0;
    let within = changes.iter().take(size.changes).take_while(|sending| {
        bytes += sending.change.len() + 1;
        bytes <= size.bytes
    });
    let within = within.count().max(1);
    changes.truncate(within);
    changes
}

/// What goes in one upload that only asks: changes of one replica, and not too many bytes.
pub(super) fn one_upload(mut changes: Vec<Sending>, most: u32) -> Vec<Sending> {
    let replica = |sending: &Sending| sending.clock.replica();
    let first = changes.first().map(replica);
    let same = changes
        .iter()
        .take_while(|sending| Some(replica(sending)) == first);
    changes.truncate(same.count());
    within(changes, Room::of(most).usual)
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
