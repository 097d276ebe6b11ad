//! Where what waits is cut into uploads: between what belongs together, and through it only after it was too much itself.
//!
//! A server that is away for a while, or a gateway before it, refuses what it would take a moment later. That makes portions less, and says nothing of
//! whether one transaction is too much: others would see a part of it for nothing.

use super::batch::{Room, Size, Waiting};
use super::error::ReplicaError;
use super::query::{self, BIND, Bind};
use super::sending::Sending;
use super::sync::Shared;
use super::transport::TransportError;
use crate::change::Edit;

/// So often the line breaks under what belongs together before that is cut.
const BREAKS: i64 = 5;

/// What `attempted` of a change is, in the file, where what it belongs to is cut: one for the attempts, and one for each line that broke.
const CUT: i64 = 1 + BREAKS;

fn is_cut(sending: &Sending) -> bool {
    sending.attempted >= CUT
}

impl Shared {
    /// Notes that what belongs together was too much, if it went alone; `true` if it is cut from now on.
    pub(super) async fn blame(
        &self,
        batch: &[Sending],
        refused: &TransportError,
    ) -> Result<bool, ReplicaError> {
        let is_one = batch.len() > 1 && ends(batch).len() == 1;
        let attempted = match refused {
            _ if !is_one || batch.iter().any(is_cut) => return Ok(false),
            _ if refused.asks_for_less() => CUT,
            TransportError::Offline(_) => batch[0].attempted.max(1) + 1,
            _ => return Ok(false),
        };
        let seqs: Vec<i64> = batch.iter().map(|sending| sending.seq).collect();
        let seqs = Bind::json(&seqs)?;
        self.transact(move |_, conn| {
            let blame = format!(
                "update carburetor_sending set attempted = {attempted} where attempted and seq in (select value from json_each({BIND}))"
            );
            query::execute(conn, &blame, [seqs])?;
            Ok(attempted >= CUT)
        })
        .await
    }
}

/// What of `waiting`, in the order of the clocks, goes in one upload: what belongs together whole, unless that is more than the server takes
/// at once. Its deletions come last then, in uploads of their own, so that none takes along what a later part is about.
pub(super) fn chosen(
    waiting: Waiting,
    room: Room,
    is_part: bool,
) -> Result<Vec<Sending>, ReplicaError> {
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
        None => ends.first().copied().filter(|end| {
            let first = &waiting[..*end];
            room.whole.holds(first) && !first.iter().any(is_cut)
        }),
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
