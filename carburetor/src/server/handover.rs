//! Pages from whoever reads them to whoever sends them, one at a time. Tokio's channels have room for many, in each idle feed.

mod pages;
mod taken;
#[cfg(test)]
mod tests;

pub(super) use pages::Pages;
pub(super) use taken::Taken;

use super::limits::Limits;
use super::room::Share;
use super::served::Sent;
use crate::token::Token;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use tokio::time::Instant;

/// Whoever takes the pages has gone.
#[derive(Debug)]
pub(super) struct Gone;

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
    /// Since when they go on.
    free_since: Option<Instant>,
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
    let pages = Pages::new(Arc::clone(&handover), share, limits);
    (pages, Taken::of(handover))
}

fn lock(handover: &Mutex<Handover>) -> MutexGuard<'_, Handover> {
    handover.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
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
