//! Work that ends when nobody waits for it any more.

use super::problem::Problem;
use futures_util::future::{Either, select};
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tracing::Instrument;

/// What `work` makes of it within `time`, in a task of its own. If its time is over, or whoever asks for it has gone, what it has begun is rolled back.
pub(super) async fn apart<T: Send + 'static>(
    time: Duration,
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    // It is dropped when nobody waits here any more.
    let (_asks, gone) = oneshot::channel::<Infallible>();
    let working = until(work, async {
        // Nothing is ever said.
        let _ = gone.await;
    });
    match timeout(time, tokio::spawn(working.in_current_span())).await {
        Ok(Ok(Ok(result))) => result,
        Ok(Err(panicked)) => Err(Problem::server(&panicked)),
        Ok(Ok(Err(()))) | Err(_) => Err(Problem::too_slow()),
    }
}

/// What `work` makes of it, unless that takes longer than `time`.
pub(super) async fn limited<T>(
    time: Duration,
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    let done = until(work, sleep(time)).await;
    done.unwrap_or_else(|()| Err(Problem::too_slow()))
}

/// What `work` makes of it; what `over` says if that comes before.
///
/// To drop it may take as long as the statement that runs, and is done where that keeps nobody.
pub(super) async fn until<T, O>(
    work: impl Future<Output = T> + Send + 'static,
    over: impl Future<Output = O>,
) -> Result<T, O> {
    let work = Box::pin(work);
    match select(work, pin!(over)).await {
        Either::Left((done, _)) => Ok(done),
        Either::Right((over, work)) => {
            // A runtime that ends drops it itself.
            let _ = spawn_blocking(move || drop(work)).await;
            Err(over)
        }
    }
}
