//! Pages from whoever reads them to whoever sends them, one at a time. Tokio's channels have room for many, in each idle feed.

use super::limits::Limits;
use super::problem::Problem;
use super::room::{Room, Share, Told};
use super::served::Sent;
use crate::download::Page;
use crate::token::Token;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Whoever takes the pages has gone.
#[derive(Debug)]
pub(super) struct Gone;

/// Where pages are given.
#[derive(Debug)]
pub(super) struct Pages {
    handover: Arc<Mutex<Handover>>,
    share: Arc<Share>,
    /// How long they may wait for whoever takes them, and whoever gives them for room.
    times: [Duration; 2],
    /// A page takes longer to read than it may.
    overdue: Notify,
}

/// Where they are taken.
#[derive(Debug)]
pub(super) struct Taken(Arc<Mutex<Handover>>);

/// What holds them back until the caller has been asked again who he is.
#[derive(Debug, Clone)]
pub(super) struct Recall(Arc<Mutex<Handover>>);

#[derive(Debug, Default)]
struct Handover {
    page: Option<Sent>,
    giver: Side,
    taker: Side,
    /// The token of the page that was taken last; at the beginning the one that was asked with.
    last: Option<Box<str>>,
    /// The keys beside that one can be asked for.
    asks_for_keys: bool,
    /// How often they were held back, and after how many times they go on.
    recalls: u32,
    answered: u32,
}

impl Handover {
    fn is_held(&self) -> bool {
        self.recalls != self.answered
    }
}

/// One of the two.
#[derive(Debug, Default)]
enum Side {
    #[default]
    Busy,
    Waiting(Waker),
    Gone,
}

impl Side {
    fn wait(&mut self, context: &Context<'_>) {
        *self = Side::Waiting(context.waker().clone());
    }

    /// Whom to wake, once nothing is locked.
    fn wake(&mut self) -> Option<Waker> {
        match self {
            Side::Waiting(_) => match std::mem::take(self) {
                Side::Waiting(waker) => Some(waker),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_gone(&self) -> bool {
        matches!(self, Side::Gone)
    }
}

/// Both sides, for whoever has everything up to `since`.
pub(super) fn handover(
    since: Option<&Token>,
    share: Arc<Share>,
    limits: &Limits,
) -> (Pages, Taken) {
    let handover = Arc::new(Mutex::new(Handover {
        last: since.map(|since| since.to_string().into()),
        asks_for_keys: since.is_some_and(|since| since.asks_for_keys),
        ..Handover::default()
    }));
    let pages = Pages {
        handover: Arc::clone(&handover),
        share,
        times: [limits.send_time, limits.time],
        overdue: Notify::new(),
    };
    (pages, Taken(handover))
}

fn lock(handover: &Mutex<Handover>) -> MutexGuard<'_, Handover> {
    handover.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Pages {
    /// Room for a page, and then the page. One that takes longer than it may is not dropped here, where that could keep others: [`overdue`](Self::overdue) says so
    /// to whoever drops all of the reading.
    pub(super) async fn read(
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
    pub(super) async fn overdue(&self) -> Problem {
        self.overdue.notified().await;
        Problem::too_slow()
    }

    /// Gives a page that others are given, too, as soon as there is room for what is made of it, and waits until it is taken.
    pub(super) async fn send_copy(&self, page: &Told) -> Result<Result<(), Gone>, Problem> {
        let room = self.share.copy(page.json().len(), self.times[1]).await?;
        let page = Told::new((**page).clone(), room);
        Ok(match self.send(Ok(Arc::new(page))).await {
            Ok(()) => self.finish().await,
            Err(gone) => Err(gone),
        })
    }

    /// Gives a page, as soon as the one before it is taken. Whoever doesn't take that in time gets no more.
    pub(super) async fn send(&self, page: Sent) -> Result<(), Gone> {
        self.in_time(self.give(page)).await
    }

    /// Waits until the last page is taken, in time too: as long as it waits it takes room.
    pub(super) async fn finish(&self) -> Result<(), Gone> {
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

    async fn in_time(&self, done: impl Future<Output = Result<(), Gone>>) -> Result<(), Gone> {
        timeout(self.times[0], done).await.unwrap_or_else(|_| {
            let stalled = Problem::busy("what was sent was not read in time");
            let waiting = lock(&self.handover).page.replace(Err(stalled.into()));
            drop(waiting);
            Err(Gone)
        })
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
    pub(super) fn end(&self, problem: Problem) {
        let mut handover = lock(&self.handover);
        handover.answered = handover.recalls;
        let waiting = handover.page.replace(Err(problem.into()));
        let taker = handover.taker.wake();
        drop(handover);
        drop(waiting);
        wake(taker);
    }

    /// What holds the pages back.
    pub(super) fn recall(&self) -> Recall {
        Recall(Arc::clone(&self.handover))
    }

    /// How often they were held back.
    pub(super) fn recalls(&self) -> u32 {
        lock(&self.handover).recalls
    }

    /// Comes back when they are held back.
    pub(super) async fn recalled(&self) {
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
    pub(super) fn go_on(&self, recalls: u32) {
        let mut handover = lock(&self.handover);
        handover.answered = recalls;
        let wakers = [handover.taker.wake(), handover.giver.wake()];
        drop(handover);
        wakers.into_iter().for_each(wake);
    }

    /// Takes a page back that nobody has taken.
    pub(super) fn take_back(&self) {
        let waiting = lock(&self.handover).page.take();
        drop(waiting);
    }

    /// From where it goes on behind all that was given: the token of the last page.
    pub(super) fn given(&self) -> Option<Token> {
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

    /// Comes back when nobody takes pages any more.
    pub(super) async fn closed(&self) {
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

impl Recall {
    /// Holds them back: none is taken until the caller has been asked.
    pub(super) fn recall(&self) {
        let mut handover = lock(&self.0);
        handover.recalls = handover.recalls.wrapping_add(1);
        let giver = handover.giver.wake();
        drop(handover);
        wake(giver);
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

impl Taken {
    /// The next page; none if no more come.
    pub(super) async fn recv(&mut self) -> Option<Sent> {
        poll_fn(|context| {
            let mut handover = lock(&self.0);
            // Who has ended asks nobody any more.
            if handover.is_held() && !handover.giver.is_gone() {
                handover.taker.wait(context);
                return Poll::Pending;
            }
            if let Some(page) = handover.page.take() {
                if let Ok(page) = &page {
                    handover.last = Some(page.next().into());
                    handover.asks_for_keys = false;
                }
                let giver = handover.giver.wake();
                drop(handover);
                wake(giver);
                return Poll::Ready(Some(page));
            }
            if handover.giver.is_gone() {
                return Poll::Ready(None);
            }
            handover.taker.wait(context);
            Poll::Pending
        })
        .await
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut handover = lock(&self.0);
        handover.taker = Side::Gone;
        let page = handover.page.take();
        let giver = handover.giver.wake();
        drop(handover);
        drop(page);
        wake(giver);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::room::Rooms;
    use futures_util::poll;
    use std::pin::pin;

    fn both() -> (Pages, Taken) {
        let limits = Limits::default();
        let share = Arc::new(Rooms::new(&limits)).share("group", "scope");
        handover(None, share, &limits)
    }

    fn page() -> Sent {
        let rooms = Rooms::new(&Limits::default());
        let room = rooms.common(1).unwrap();
        Ok(Arc::new(Told::new(Page::default(), room)))
    }

    #[tokio::test]
    async fn a_page_is_given_once_the_one_before_it_is_taken() {
        let (pages, mut taken) = both();
        pages.send(page()).await.unwrap();
        let mut second = pin!(pages.send(page()));
        assert!(poll!(second.as_mut()).is_pending());
        assert!(taken.recv().await.is_some());
        second.await.unwrap();
        assert!(taken.recv().await.is_some());
    }

    #[tokio::test]
    async fn whoever_waits_for_a_page_is_woken_by_it() {
        let (pages, mut taken) = both();
        let waiting = tokio::spawn(async move { taken.recv().await.is_some() });
        tokio::task::yield_now().await;
        pages.send(page()).await.unwrap();
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn what_was_given_last_is_taken_before_the_end() {
        let (pages, mut taken) = both();
        pages.send(page()).await.unwrap();
        drop(pages);
        assert!(taken.recv().await.is_some());
        assert!(taken.recv().await.is_none());
    }

    #[tokio::test]
    async fn whoever_gives_learns_that_the_taker_has_gone() {
        let (pages, taken) = both();
        pages.send(page()).await.unwrap();
        let waiting = tokio::spawn(async move {
            pages.closed().await;
            pages.send(page()).await.is_err()
        });
        tokio::task::yield_now().await;
        drop(taken);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn what_is_held_back_is_neither_given_nor_taken() {
        let (pages, mut taken) = both();
        pages.send(page()).await.unwrap();
        pages.recall().recall();
        pages.recalled().await;
        let asked = pages.recalls();
        {
            let mut taking = pin!(taken.recv());
            assert!(poll!(taking.as_mut()).is_pending());
            // Somebody says so again, while the caller is being asked.
            pages.recall().recall();
            pages.go_on(asked);
            assert!(poll!(taking.as_mut()).is_pending());
            pages.go_on(pages.recalls());
            assert!(taking.await.is_some());
        }
        pages.recall().recall();
        let mut giving = pin!(pages.send(page()));
        assert!(poll!(giving.as_mut()).is_pending());
        pages.go_on(pages.recalls());
        giving.await.unwrap();
    }

    #[tokio::test]
    async fn whoever_is_refused_gets_nothing_that_waits() {
        let (pages, mut taken) = both();
        pages.send(page()).await.unwrap();
        pages.recall().recall();
        pages.end(Problem::busy("over"));
        drop(pages);
        assert!(taken.recv().await.unwrap().is_err());
        assert!(taken.recv().await.is_none());
    }

    #[tokio::test]
    async fn whoever_takes_no_page_in_time_gets_no_more() {
        let (mut pages, mut taken) = both();
        pages.times[0] = Duration::from_millis(10);
        pages.send(page()).await.unwrap();
        assert!(pages.send(page()).await.is_err());
        assert!(taken.recv().await.unwrap().is_err());
        // The last one neither.
        pages.send(page()).await.unwrap();
        assert!(pages.finish().await.is_err());
        assert!(taken.recv().await.unwrap().is_err());
        pages.finish().await.unwrap();
    }
}
