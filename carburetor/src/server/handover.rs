//! Pages from whoever reads them to whoever sends them, one at a time. Tokio's channels have room for many, in each idle feed.

use super::problem::Problem;
use super::served::Sent;
use crate::token::Token;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Whoever takes the pages has gone.
#[derive(Debug)]
pub(super) struct Gone;

/// Where pages are given.
#[derive(Debug)]
pub(super) struct Pages(Arc<Mutex<Handover>>);

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
pub(super) fn handover(since: Option<&Token>) -> (Pages, Taken) {
    let handover = Arc::new(Mutex::new(Handover {
        last: since.map(|since| since.to_string().into()),
        asks_for_keys: since.is_some_and(|since| since.asks_for_keys),
        ..Handover::default()
    }));
    (Pages(Arc::clone(&handover)), Taken(handover))
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
    /// Gives a page, as soon as the one before it is taken.
    pub(super) async fn send(&self, page: Sent) -> Result<(), Gone> {
        let mut page = Some(page);
        poll_fn(|context| {
            let mut handover = lock(&self.0);
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
    pub(super) fn end(self, problem: Problem) {
        let mut handover = lock(&self.0);
        handover.answered = handover.recalls;
        let waiting = handover.page.replace(Err(problem.into()));
        drop(handover);
        drop(waiting);
    }

    /// What holds the pages back.
    pub(super) fn recall(&self) -> Recall {
        Recall(Arc::clone(&self.0))
    }

    /// How often they were held back.
    pub(super) fn recalls(&self) -> u32 {
        lock(&self.0).recalls
    }

    /// Comes back when they are held back.
    pub(super) async fn recalled(&self) {
        poll_fn(|context| {
            let mut handover = lock(&self.0);
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
        let mut handover = lock(&self.0);
        handover.answered = recalls;
        let wakers = [handover.taker.wake(), handover.giver.wake()];
        drop(handover);
        wakers.into_iter().for_each(wake);
    }

    /// Takes a page back that nobody has taken.
    pub(super) fn take_back(&self) {
        let waiting = lock(&self.0).page.take();
        drop(waiting);
    }

    /// From where it goes on behind all that was given: the token of the last page.
    pub(super) fn given(&self) -> Option<Token> {
        let handover = lock(&self.0);
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
            let mut handover = lock(&self.0);
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
        let mut handover = lock(&self.0);
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
    use crate::download::Page;
    use futures_util::poll;
    use std::pin::pin;

    fn page() -> Sent {
        Ok(Arc::new(Page::default()))
    }

    #[tokio::test]
    async fn a_page_is_given_once_the_one_before_it_is_taken() {
        let (pages, mut taken) = handover(None);
        pages.send(page()).await.unwrap();
        let mut second = pin!(pages.send(page()));
        assert!(poll!(second.as_mut()).is_pending());
        assert!(taken.recv().await.is_some());
        second.await.unwrap();
        assert!(taken.recv().await.is_some());
    }

    #[tokio::test]
    async fn whoever_waits_for_a_page_is_woken_by_it() {
        let (pages, mut taken) = handover(None);
        let waiting = tokio::spawn(async move { taken.recv().await.is_some() });
        tokio::task::yield_now().await;
        pages.send(page()).await.unwrap();
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn what_was_given_last_is_taken_before_the_end() {
        let (pages, mut taken) = handover(None);
        pages.send(page()).await.unwrap();
        drop(pages);
        assert!(taken.recv().await.is_some());
        assert!(taken.recv().await.is_none());
    }

    #[tokio::test]
    async fn whoever_gives_learns_that_the_taker_has_gone() {
        let (pages, taken) = handover(None);
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
        let (pages, mut taken) = handover(None);
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
        let (pages, mut taken) = handover(None);
        pages.send(page()).await.unwrap();
        pages.recall().recall();
        pages.end(Problem::busy("over"));
        assert!(taken.recv().await.unwrap().is_err());
        assert!(taken.recv().await.is_none());
    }
}
