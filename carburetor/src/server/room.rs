//! Room for what waits in memory: so many bytes for all, and of them a part for the callers of one scope, so that nobody takes it all.

use super::limits::Limits;
use super::problem::Problem;
use crate::download::Page;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// What room is counted in.
const UNIT: usize = 1024;

/// What a page takes while it is read: how much it is, is known then.
const PAGE: usize = 4 << 20;

/// What a body takes at once while it comes.
pub(super) const PIECE: usize = 64 << 10;

/// Which part of the room is one scope's.
const PART: usize = 4;

/// The room of a server.
#[derive(Debug)]
pub(super) struct Rooms {
    pages: Semaphores,
    bodies: Semaphores,
    /// For pages that several are told; they have as much as the others.
    common: Semaphores,
    /// Of those that hold room for a body and wait for more of all, one may at a time.
    growing: Semaphore,
    streams_per_scope: usize,
    shares: Mutex<HashMap<String, Weak<Share>>>,
}

/// The room for all, and how much of it is one scope's.
#[derive(Debug)]
struct Semaphores {
    all: Arc<Semaphore>,
    part: usize,
}

impl Semaphores {
    fn new(bytes: usize) -> Self {
        let units = units(bytes);
        Semaphores {
            all: semaphore(units),
            part: (units / PART).max(1),
        }
    }

    /// What so many bytes take. What is more than a scope may have takes all of that.
    fn units(&self, bytes: usize) -> u32 {
        u32::try_from(units(bytes).min(self.part)).unwrap_or(u32::MAX)
    }
}

fn semaphore(units: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS)))
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT).max(1)
}

/// The room of one scope's callers.
#[derive(Debug)]
pub(super) struct Share {
    rooms: Arc<Rooms>,
    key: String,
    /// Downloads that may be under way.
    pub(super) streams: Arc<Semaphore>,
    pages: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    common: Arc<Semaphore>,
    /// Of those of the scope that hold room for a body and wait for more, one may at a time.
    growing: Semaphore,
}

/// Room that is taken until it is dropped: of the scope's, and of all.
#[derive(Debug)]
pub(super) struct Room(Vec<OwnedSemaphorePermit>);

impl Rooms {
    pub(super) fn new(limits: &Limits) -> Self {
        Rooms {
            pages: Semaphores::new(limits.waiting / 2),
            bodies: Semaphores::new(limits.bodies),
            common: Semaphores::new(limits.waiting / 2),
            growing: Semaphore::new(1),
            streams_per_scope: limits.streams_per_scope,
            shares: Mutex::default(),
        }
    }

    /// The room of the callers of `group` whose scope is told by `identity`.
    pub(super) fn share(self: &Arc<Self>, group: &str, identity: &str) -> Arc<Share> {
        let key = format!("{group} {identity}");
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&key).and_then(Weak::upgrade) {
            return share;
        }
        let share = Arc::new(Share {
            rooms: Arc::clone(self),
            key: key.clone(),
            streams: semaphore(self.streams_per_scope),
            pages: semaphore(self.pages.part),
            bodies: semaphore(self.bodies.part),
            common: semaphore(self.common.part),
            growing: Semaphore::new(1),
        });
        shares.insert(key, Arc::downgrade(&share));
        share
    }
}

impl Share {
    /// Room for a page that is about to be read.
    pub(super) async fn page(&self, time: Duration) -> Result<Room, Problem> {
        let room = take(&self.pages, &self.rooms.pages, PAGE, time).await;
        room.ok_or_else(|| Problem::busy("too many pages wait to be sent"))
    }

    /// Room for a page of so many bytes, which another one has, too.
    pub(super) async fn copy(&self, bytes: usize, time: Duration) -> Result<Room, Problem> {
        let room = take(&self.pages, &self.rooms.pages, bytes, time).await;
        room.ok_or_else(|| Problem::busy("too many pages wait to be sent"))
    }

    /// Room for the body of an upload, and what is made of it. Whoever waits for it holds nothing: others of its scope may hold room and wait for more.
    pub(super) async fn body(&self, bytes: usize, time: Duration) -> Result<Room, Problem> {
        let (own, all) = (&self.bodies, &self.rooms.bodies);
        let units = all.units(bytes);
        let taken = async {
            loop {
                let part = Arc::clone(own).acquire_many_owned(units).await.ok()?;
                if let Some(of_all) = at_once(&all.all, units) {
                    return Some(Room(vec![part, of_all]));
                }
                drop(part);
                let of_all = Arc::clone(&all.all).acquire_many_owned(units).await.ok()?;
                if let Some(part) = at_once(own, units) {
                    return Some(Room(vec![part, of_all]));
                }
            }
        };
        let room = timeout(time, taken).await.ok().flatten();
        room.ok_or_else(no_room)
    }

    /// As much room as so many bytes of a body take, `room` being what they have so far.
    ///
    /// Two that hold room and wait for more could wait for each other. So of a scope only one waits, which has asked first, and it waits for nobody who
    /// waits: the others of its scope are told `busy` and give back what they hold. Of those that wait for what others' scopes hold, it is one of all.
    pub(super) async fn grow(
        &self,
        room: &mut Room,
        bytes: usize,
        time: Duration,
    ) -> Result<(), Problem> {
        let all = &self.rooms.bodies;
        let held = room.0.first().map_or(0, OwnedSemaphorePermit::num_permits);
        let held = u32::try_from(held).unwrap_or(u32::MAX);
        let missing = all.units(bytes).saturating_sub(held);
        if missing == 0 {
            return Ok(());
        }
        let now = || Some((at_once(&self.bodies, missing)?, at_once(&all.all, missing)?));
        let more = match now() {
            Some(more) => more,
            None => {
                let _first = self.growing.try_acquire().map_err(|_| no_room())?;
                let taken = async {
                    let own = Arc::clone(&self.bodies);
                    let own = own.acquire_many_owned(missing).await.ok()?;
                    if let Some(all) = at_once(&all.all, missing) {
                        return Some((own, all));
                    }
                    let _first = self.rooms.growing.try_acquire().ok()?;
                    let all = Arc::clone(&all.all)
                        .acquire_many_owned(missing)
                        .await
                        .ok()?;
                    Some((own, all))
                };
                timeout(time, taken)
                    .await
                    .ok()
                    .flatten()
                    .ok_or_else(no_room)?
            }
        };
        room.0
            .iter_mut()
            .zip([more.0, more.1])
            .for_each(|(room, more)| room.merge(more));
        Ok(())
    }

    /// Room for a page that several of the scope are told, if there is some at once.
    pub(super) fn common(&self, bytes: usize) -> Option<Room> {
        let all = &self.rooms.common;
        let units = all.units(bytes);
        let own = at_once(&self.common, units)?;
        let all = at_once(&all.all, units)?;
        Some(Room(vec![own, all]))
    }
}

/// What is told where there is no room for a body.
pub(super) fn no_room() -> Problem {
    Problem::busy("too many uploads are under way")
}

/// So many units, if they are free.
fn at_once(room: &Arc<Semaphore>, units: u32) -> Option<OwnedSemaphorePermit> {
    Arc::clone(room).try_acquire_many_owned(units).ok()
}

/// Room for so many bytes, as soon as it is there; none if that takes longer than `time`.
async fn take(
    own: &Arc<Semaphore>,
    all: &Semaphores,
    bytes: usize,
    time: Duration,
) -> Option<Room> {
    let units = all.units(bytes);
    let taken = async {
        // Whoever waits for his scope's takes nothing of the others'.
        let own = Arc::clone(own).acquire_many_owned(units).await.ok()?;
        let all = Arc::clone(&all.all).acquire_many_owned(units).await.ok()?;
        Some(Room(vec![own, all]))
    };
    timeout(time, taken).await.ok().flatten()
}

impl Room {
    /// Gives back what is more than so many bytes, or takes what there is besides: what has been read already doesn't wait.
    pub(super) fn fit(&mut self, bytes: usize) {
        let units = units(bytes);
        // No more of the others' than of its own.
        let free = self
            .0
            .iter()
            .map(|room| room.semaphore().available_permits());
        let free = free.min().unwrap_or(0);
        for room in &mut self.0 {
            let taken = room.num_permits();
            drop(room.split(taken.saturating_sub(units)));
            let missing = units.saturating_sub(taken).min(free);
            let missing = u32::try_from(missing).unwrap_or(u32::MAX);
            let more = Arc::clone(room.semaphore()).try_acquire_many_owned(missing);
            if let Ok(more) = more {
                room.merge(more);
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let shares = self.rooms.shares.lock();
        let mut shares = shares.unwrap_or_else(PoisonError::into_inner);
        // Another one may have come in its place.
        if shares
            .get(&self.key)
            .is_some_and(|share| share.strong_count() == 0)
        {
            shares.remove(&self.key);
        }
    }
}

/// A page on its way, and the room that it takes.
#[derive(Debug, Clone)]
pub(super) struct Told {
    page: Page,
    room: Option<Arc<Room>>,
}

impl Told {
    pub(super) fn new(page: Page, mut room: Room) -> Self {
        room.fit(page.json().len());
        Told {
            page,
            room: Some(Arc::new(room)),
        }
    }

    /// Its message, and the room that it takes until it is written.
    pub(super) fn into_parts(self) -> (Vec<u8>, Option<Arc<Room>>) {
        (self.page.into_json(), self.room)
    }
}

impl Deref for Told {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

impl AsRef<[u8]> for Told {
    fn as_ref(&self) -> &[u8] {
        self.page.json()
    }
}

#[cfg(test)]
mod tests;
