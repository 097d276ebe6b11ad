//! The side that takes pages.

use super::{Handover, Side, lock, wake};
use crate::server::served::Sent;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

/// Where they are taken.
#[derive(Debug)]
pub(in crate::server) struct Taken(Arc<Mutex<Handover>>);

impl Taken {
    pub(super) fn of(handover: Arc<Mutex<Handover>>) -> Self {
        Taken(handover)
    }

    /// The next page; none if no more come.
    pub(in crate::server) async fn recv(&mut self) -> Option<Sent> {
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
