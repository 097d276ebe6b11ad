//! Operations that end before they are dropped.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// An operation that runs on another thread, and has to end before its connection is used again: dropped midway, it is waited for.
pub(super) struct Whole<F: Future> {
    work: Option<Pin<Box<F>>>,
    has_begun: bool,
}

impl<F: Future> Whole<F> {
    pub(super) fn new(work: F) -> Self {
        Whole {
            work: Some(Box::pin(work)),
            has_begun: false,
        }
    }
}

impl<F: Future> Future for Whole<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.has_begun = true;
        let Some(work) = &mut self.work else {
            return Poll::Pending;
        };
        let polled = work.as_mut().poll(context);
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl<F: Future> Drop for Whole<F> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take().filter(|_| self.has_begun) {
            wait(work);
        }
    }
}

/// Waits for `work` on this thread, whatever kind of runtime it belongs to: another thread does it.
pub(super) fn wait<F: Future>(work: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    // A task that has used up its share would wait for ever here.
    let mut work = pin!(tokio::task::unconstrained(work));
    loop {
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
