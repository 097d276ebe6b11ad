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

    /// Room for the body of an upload, and what is made of it.
    pub(super) async fn body(&self, bytes: usize, time: Duration) -> Result<Room, Problem> {
        let room = take(&self.bodies, &self.rooms.bodies, bytes, time).await;
        room.ok_or_else(|| Problem::busy("too many uploads are under way"))
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
        let busy = || Problem::busy("too many uploads are under way");
        let now = |room: &Arc<Semaphore>| Arc::clone(room).try_acquire_many_owned(missing).ok();
        let more = match now(&self.bodies).and_then(|own| Some((own, now(&all.all)?))) {
            Some(more) => more,
            None => {
                let _first = self.growing.try_acquire().map_err(|_| busy())?;
                let taken = async {
                    let own = Arc::clone(&self.bodies);
                    let own = own.acquire_many_owned(missing).await.ok()?;
                    if let Some(all) = now(&all.all) {
                        return Some((own, all));
                    }
                    let _first = self.rooms.growing.try_acquire().ok()?;
                    let all = Arc::clone(&all.all)
                        .acquire_many_owned(missing)
                        .await
                        .ok()?;
                    Some((own, all))
                };
                timeout(time, taken).await.ok().flatten().ok_or_else(busy)?
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
        let own = Arc::clone(&self.common)
            .try_acquire_many_owned(units)
            .ok()?;
        let all = Arc::clone(&all.all).try_acquire_many_owned(units).ok()?;
        Some(Room(vec![own, all]))
    }
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
mod tests {
    use super::*;
    const MOMENT: Duration = Duration::from_millis(1);

    fn rooms(waiting: usize, bodies: usize) -> Arc<Rooms> {
        Arc::new(Rooms::new(&Limits {
            waiting,
            bodies,
            streams_per_scope: 1,
            ..Limits::default()
        }))
    }

    #[tokio::test]
    async fn a_scope_takes_its_part_and_all_together_what_there_is() {
        let rooms = rooms(2 * 8 * UNIT, 8 * UNIT);
        let shares: Vec<_> = ["a", "b", "c", "d", "e"]
            .map(|scope| rooms.share("g", scope))
            .into();
        let mut taken = Vec::new();
        for share in &shares[..4] {
            taken.push(share.copy(2 * UNIT, MOMENT).await.unwrap());
            assert!(share.copy(1, MOMENT).await.is_err(), "its part is taken");
            // Bodies have room of their own.
            share.body(1, MOMENT).await.unwrap();
        }
        assert!(shares[4].page(MOMENT).await.is_err(), "all is taken");
        taken.pop();
        shares[4].page(MOMENT).await.unwrap();
    }

    #[tokio::test]
    async fn a_page_takes_what_it_needs_and_gives_the_rest_back() {
        let rooms = rooms(2 * 8 * UNIT, UNIT);
        let share = rooms.share("g", "a");
        let told = Told::new(Page::default(), share.page(MOMENT).await.unwrap());
        let one = share.copy(UNIT, MOMENT).await.unwrap();
        assert!(share.copy(UNIT, MOMENT).await.is_err());
        drop((told, one));
        share.copy(2 * UNIT, MOMENT).await.unwrap();
    }

    #[tokio::test]
    async fn of_two_that_hold_room_and_need_more_one_waits_and_the_other_gives_way() {
        const LONG: Duration = Duration::from_secs(3600);
        let rooms = rooms(UNIT, 4 * 8 * UNIT);
        let share = rooms.share("g", "a");
        let mut first = share.body(4 * UNIT, MOMENT).await.unwrap();
        let mut second = share.body(4 * UNIT, MOMENT).await.unwrap();
        {
            let grown = share.grow(&mut first, 8 * UNIT, LONG);
            let mut grown = std::pin::pin!(grown);
            assert!(timeout(MOMENT, &mut grown).await.is_err(), "it waits");
            assert!(share.grow(&mut second, 5 * UNIT, LONG).await.is_err());
            drop(second);
            grown.await.unwrap();
        }
        assert!(share.body(1, MOMENT).await.is_err(), "all is taken");
        // What it needs no more than it has, it need not ask for.
        share.grow(&mut first, 8 * UNIT, MOMENT).await.unwrap();
        drop(first);
        share.body(8 * UNIT, MOMENT).await.unwrap();
    }

    #[tokio::test]
    async fn of_two_scopes_that_need_more_than_all_have_one_waits_and_the_other_gives_way() {
        const LONG: Duration = Duration::from_secs(3600);
        let rooms = rooms(UNIT, 8 * UNIT);
        let shares: Vec<_> = (0..8)
            .map(|scope| rooms.share("g", &scope.to_string()))
            .collect();
        let mut held = Vec::new();
        for share in &shares {
            held.push(share.body(UNIT, MOMENT).await.unwrap());
        }
        let (mut first, mut second) = (held.remove(0), held.remove(0));
        let grown = shares[0].grow(&mut first, 2 * UNIT, LONG);
        let mut grown = std::pin::pin!(grown);
        assert!(timeout(MOMENT, &mut grown).await.is_err(), "it waits");
        assert!(shares[1].grow(&mut second, 2 * UNIT, LONG).await.is_err());
        drop(second);
        grown.await.unwrap();
    }

    #[test]
    fn pages_that_several_are_told_have_a_part_for_each_scope() {
        let rooms = rooms(2 * 8 * UNIT, UNIT);
        let shares = ["a", "b", "c", "d", "e"].map(|scope| rooms.share("g", scope));
        let mut taken: Vec<Room> = Vec::new();
        for share in &shares[..4] {
            taken.push(share.common(UNIT).unwrap());
            taken.push(share.common(UNIT).unwrap());
            assert!(share.common(1).is_none(), "its part is taken");
        }
        assert!(shares[4].common(1).is_none(), "all is taken");
        taken.pop();
        assert!(shares[4].common(UNIT).is_some());
        assert!(shares[3].common(UNIT).is_some());
        // One that is longer than that has all of it.
        drop(taken);
        let long = shares[0].common(9 * UNIT).unwrap();
        assert!(shares[0].common(1).is_none());
        drop(long);
    }

    #[test]
    fn callers_of_one_scope_have_one_share_as_long_as_there_are_any() {
        let rooms = rooms(UNIT, UNIT);
        let (first, second) = (rooms.share("g", "a"), rooms.share("g", "a"));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &rooms.share("h", "a")));
        drop((first, second));
        assert!(rooms.shares.lock().unwrap().is_empty());
    }
}
