//! The side that gives pages.

use super::{Gone, Handover, Recall, Side, lock, wake};
use crate::download::Page;
use crate::server::limits::Limits;
use crate::server::problem::Problem;
use crate::server::room::{Room, Share, Told};
use crate::server::served::Sent;
use crate::token::Token;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

/// Where pages are given.
#[derive(Debug)]
pub(in crate::server) struct Pages {
    handover: Arc<Mutex<Handover>>,
    share: Arc<Share>,
    /// How long they may wait for whoever takes them, and whoever gives them for room.
    pub(super) times: [Duration; 2],
    /// A page takes longer to read than it may.
    overdue: Notify,
}

impl Pages {
    pub(super) fn new(handover: Arc<Mutex<Handover>>, share: Arc<Share>, limits: &Limits) -> Self {
        Pages {
            handover,
            share,
            times: [limits.send_time, limits.time],
            overdue: Notify::new(),
        }
    }

    /// Room for a page, and then the page. One that takes longer than it may is not dropped here, where that could keep others: [`overdue`](Self::overdue) says so
    /// to whoever drops all of the reading.
    pub(in crate::server) async fn read(
        &self,
        page: impl Future<Output = Result<Option<Page>, Problem>>,
    ) -> Result<Option<(Page, Room)>, Problem> {
        let room = self.share.page(self.times[1]).await?;
        let mut page = pin!(page);
        let read = match timeout(self.times[1], page.as_mut()).await {
            Ok(read) => read,
            Err(_) => {
                self.overdue.notify_one();
                page.await
            }
        };
        Ok(read?.map(|page| (page, room)))
    }

    /// Comes back when a page takes longer to read than it may.
    pub(in crate::server) async fn overdue(&self) -> Problem {
        self.overdue.notified().await;
        Problem::too_slow()
    }

    /// Gives a page that others are given, too, as soon as there is room for what is made of it, and waits until it is taken.
    pub(in crate::server) async fn send_copy(
        &self,
        page: &Told,
    ) -> Result<Result<(), Gone>, Problem> {
        let room = self.share.copy(page.json().len(), self.times[1]).await?;
        let page = Told::new((**page).clone(), room);
        Ok(match self.send(Ok(Arc::new(page))).await {
            Ok(()) => self.finish().await,
            Err(gone) => Err(gone),
        })
    }

    /// Gives a page, as soon as the one before it is taken. Whoever doesn't take that in time gets no more.
    pub(in crate::server) async fn send(&self, page: Sent) -> Result<(), Gone> {
        self.in_time(self.give(page)).await
    }

    /// Waits until the last page is taken, in time too: as long as it waits it takes room.
    pub(in crate::server) async fn finish(&self) -> Result<(), Gone> {
        let taken = poll_fn(|context| {
            let mut handover = lock(&self.handover);
            match () {
                () if handover.taker.is_gone() => Poll::Ready(Err(Gone)),
                () if handover.page.is_none() => Poll::Ready(Ok(())),
                () => {
                    handover.giver.wait(context);
                    Poll::Pending
                }
            }
        });
        self.in_time(taken).await
    }

    /// Whoever takes nothing while it is held back has the time for it after that.
    async fn in_time(&self, done: impl Future<Output = Result<(), Gone>>) -> Result<(), Gone> {
        let mut done = pin!(done);
        let mut end = Instant::now() + self.times[0];
        loop {
            if let Ok(done) = timeout_at(end, done.as_mut()).await {
                return done;
            }
            let mut handover = lock(&self.handover);
            let begun = match handover.is_held() {
                true => Some(Instant::now()),
                false => handover.free_since,
            };
            match begun.map(|begun| begun + self.times[0]) {
                Some(later) if later > end => end = later,
                _ => {
                    let stalled = Problem::busy("what was sent was not read in time");
                    let waiting = handover.page.replace(Err(stalled.into()));
                    drop(handover);
                    drop(waiting);
                    return Err(Gone);
                }
            }
        }
    }

    async fn give(&self, page: Sent) -> Result<(), Gone> {
        let mut page = Some(page);
        poll_fn(|context| {
            let mut handover = lock(&self.handover);
            if handover.taker.is_gone() {
                return Poll::Ready(Err(Gone));
            }
            if handover.page.is_some() || handover.is_held() {
                handover.giver.wait(context);
                return Poll::Pending;
            }
            handover.page = page.take();
            let taker = handover.taker.wake();
            drop(handover);
            wake(taker);
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Ends what is sent, also where a page waits: whoever takes it gets the problem in its place.
    pub(in crate::server) fn end(&self, problem: Problem) {
        let mut handover = lock(&self.handover);
        handover.answered = handover.recalls;
        let waiting = handover.page.replace(Err(problem.into()));
        let taker = handover.taker.wake();
        drop(handover);
        drop(waiting);
        wake(taker);
    }

    /// What holds the pages back.
    pub(in crate::server) fn recall(&self) -> Recall {
        Recall(Arc::clone(&self.handover))
    }

    /// How often they were held back.
    pub(in crate::server) fn recalls(&self) -> u32 {
        lock(&self.handover).recalls
    }

    /// Comes back when they are held back.
    pub(in crate::server) async fn recalled(&self) {
        poll_fn(|context| {
            let mut handover = lock(&self.handover);
            if handover.is_held() {
                return Poll::Ready(());
            }
            handover.giver.wait(context);
            Poll::Pending
        })
        .await;
    }

    /// They go on, unless they were held back more often than `recalls`.
    pub(in crate::server) fn go_on(&self, recalls: u32) {
        let mut handover = lock(&self.handover);
        let was_held = handover.is_held();
        handover.answered = recalls;
        if was_held && !handover.is_held() {
            handover.free_since = Some(Instant::now());
        }
        let wakers = [handover.taker.wake(), handover.giver.wake()];
        drop(handover);
        wakers.into_iter().for_each(wake);
    }

    /// Takes a page back that nobody has taken.
    pub(in crate::server) fn take_back(&self) {
        let waiting = lock(&self.handover).page.take();
        drop(waiting);
    }

    /// From where it goes on behind all that was given: the token of the last page.
    pub(in crate::server) fn given(&self) -> Option<Token> {
        let handover = lock(&self.handover);
        let (last, asks_for_keys) = match &handover.page {
            Some(Ok(page)) => (Some(page.next()), false),
            _ => (handover.last.as_deref(), handover.asks_for_keys),
        };
        let last: Token = last?.parse().ok()?;
        Some(Token {
            asks_for_keys,
            ..last
        })
    }

    /// Says with the keys what it goes on from.
    pub(in crate::server) fn go_on_from(&self, given: &Token) {
        lock(&self.handover).last = Some(given.to_string().into());
    }

    /// Comes back when nobody takes pages any more.
    pub(in crate::server) async fn closed(&self) {
        poll_fn(|context| {
            let mut handover = lock(&self.handover);
            if handover.taker.is_gone() {
                return Poll::Ready(());
            }
            handover.giver.wait(context);
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let mut handover = lock(&self.handover);
        handover.giver = Side::Gone;
        let taker = handover.taker.wake();
        drop(handover);
        wake(taker);
    }
}
