//! Pages from whoever reads them to whoever sends them, one at a time. Tokio's channels have room for many, in each idle feed.

use super::served::Sent;
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

#[derive(Debug, Default)]
struct Handover {
    page: Option<Sent>,
    giver: Side,
    taker: Side,
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

/// Both sides.
pub(super) fn handover() -> (Pages, Taken) {
    let handover = Arc::new(Mutex::new(Handover::default()));
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
            if handover.page.is_some() {
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
            if let Some(page) = handover.page.take() {
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
        let (pages, mut taken) = handover();
        pages.send(page()).await.unwrap();
        let mut second = pin!(pages.send(page()));
        assert!(poll!(second.as_mut()).is_pending());
        assert!(taken.recv().await.is_some());
        second.await.unwrap();
        assert!(taken.recv().await.is_some());
    }

    #[tokio::test]
    async fn whoever_waits_for_a_page_is_woken_by_it() {
        let (pages, mut taken) = handover();
        let waiting = tokio::spawn(async move { taken.recv().await.is_some() });
        tokio::task::yield_now().await;
        pages.send(page()).await.unwrap();
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn what_was_given_last_is_taken_before_the_end() {
        let (pages, mut taken) = handover();
        pages.send(page()).await.unwrap();
        drop(pages);
        assert!(taken.recv().await.is_some());
        assert!(taken.recv().await.is_none());
    }

    #[tokio::test]
    async fn whoever_gives_learns_that_the_taker_has_gone() {
        let (pages, taken) = handover();
        pages.send(page()).await.unwrap();
        let waiting = tokio::spawn(async move {
            pages.closed().await;
            pages.send(page()).await.is_err()
        });
        tokio::task::yield_now().await;
        drop(taken);
        assert!(waiting.await.unwrap());
    }
}
