//! Whoever is sent something for a while: what he may see is asked again meanwhile.

use super::database::Database;
use super::handover::Pages;
use super::kept::Kept;
use super::problem::Problem;
use super::refresh::Opened;
use super::served::{Served, ServedGroup};
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How many callers are asked at once: the program's extractors may ask a database.
pub(super) const ASKED_AT_ONCE: usize = 64;

/// Asks the program what somebody may see, by his request.
type Ask<S> = Box<dyn Fn(&Kept) -> BoxFuture<'static, Result<S, StatusCode>> + Send + Sync>;

/// What a request was let in with: its parts, and who is asked about them.
pub(super) struct Caller<S> {
    kept: Kept,
    ask: Ask<S>,
}

impl<S: Send + Sync + 'static> Caller<S> {
    /// The caller of a request that the extractor `E` has let in.
    pub(super) fn new<E, St>(kept: Kept, state: St) -> Self
    where
        E: FromRequestParts<St> + Into<S> + Send + 'static,
        St: Clone + Send + Sync + 'static,
    {
        let ask: Ask<S> = Box::new(move |kept| {
            let (mut parts, state) = (kept.parts(), state.clone());
            Box::pin(async move {
                let asked = E::from_request_parts(&mut parts, &state).await;
                let refused = |rejection: E::Rejection| rejection.into_response().status();
                asked.map(Into::into).map_err(refused)
            })
        });
        Caller { kept, ask }
    }

    /// Notes that he is being sent something.
    pub(super) fn open<D>(self, served: &Served<D>, pages: &Pages, scope: &Arc<S>) -> Asked<S> {
        let seen: Arc<S> = Arc::clone(scope);
        let opened = served.refresh.open(pages.recall(), seen, self.kept.asked);
        let time = served.limits.scope_time;
        Asked {
            caller: self,
            opened,
            due: Instant::now() + spread(time),
        }
    }
}

/// A caller who is asked again from time to time.
pub(super) struct Asked<S> {
    caller: Caller<S>,
    opened: Opened,
    due: Instant,
}

impl<S: Send + Sync + 'static> Asked<S> {
    /// What he may see, once that is something else than `scope`. Meanwhile pages go on as far as they may.
    pub(super) async fn changed<G, D>(
        &mut self,
        served: &Served<D>,
        pages: &Pages,
        scope: &S,
    ) -> Result<(Arc<S>, u32), Problem>
    where
        D: Database,
        G: ServedGroup<D::Connection, Scope = S>,
    {
        loop {
            let (found, recalls) = self.again(served, pages).await?;
            if G::identity(&found)? != G::identity(scope)? {
                return Ok((found, recalls));
            }
            pages.go_on(recalls);
        }
    }

    /// What he may see, when it is time to ask or somebody has said so; and how often that was said before. While nobody can say, nothing is sent, and he is asked
    /// for some time more.
    async fn again<D>(
        &mut self,
        served: &Served<D>,
        pages: &Pages,
    ) -> Result<(Arc<S>, u32), Problem> {
        tokio::select! {
            () = pages.recalled() => {}
            () = sleep_until(self.due) => {}
        }
        let until = Instant::now() + served.limits.scope_time.min(NEVER);
        let mut pause = PAUSE;
        loop {
            let recalls = pages.recalls();
            self.opened.sees(None);
            match self.ask(served).await {
                Ok(scope) => {
                    let scope = Arc::new(scope);
                    self.opened.sees(Some(scope.clone()));
                    self.due = Instant::now() + spread(served.limits.scope_time);
                    return Ok((scope, recalls));
                }
                Err(status) if !is_momentary(status) => return Err(Problem::refused(status)),
                Err(status) => {
                    pages.recall().recall();
                    if Instant::now() + pause > until {
                        return Err(Problem::unknown(status));
                    }
                }
            }
            sleep(spread(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// What he may see, or the status of the extractor's rejection.
    async fn ask<D>(&self, served: &Served<D>) -> Result<S, StatusCode> {
        // The semaphore is never closed.
        let _turn = served.asked.acquire().await;
        let asked = timeout(served.limits.time, (self.caller.ask)(&self.caller.kept)).await;
        asked.unwrap_or(Err(StatusCode::GATEWAY_TIMEOUT))
    }
}

/// Whether a rejection says that nobody can tell whether the caller is let in, rather than that he isn't.
fn is_momentary(status: StatusCode) -> bool {
    let others = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || others.contains(&status)
}

/// How long an extractor that has failed is left alone, at first and at most.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is as good as never.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// A little less than `time`, by another part for each: so not all are asked at once.
fn spread(time: Duration) -> Duration {
    time.min(NEVER).mul_f64(0.75 + fastrand::f64() / 4.0)
}
