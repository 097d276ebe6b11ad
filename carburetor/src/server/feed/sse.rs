//! Feeds as server-sent events, which browsers resume by themselves.

use super::{EVENTS, HEARTBEAT};
use crate::server::download::{Cut, UNBUFFERED, streamed, unless_refused};
use crate::server::handover::Taken;
use crate::server::room::Told;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::sync::Arc;
use std::time::Duration;

/// After how long whoever lost the connection comes back, at least; and how much later he may, so that not all come at once.
const RETRY: Duration = Duration::from_secs(1);
const SPREAD_MILLIS: u64 = 4000;

/// Each page as an event whose id is the page's token.
pub(super) fn events(first: Arc<Told>, taken: Taken) -> Response {
    let events = stream::try_unfold(
        (Some(first), taken, None),
        |(first, mut taken, sent)| async move {
            // It is written, or about to be, when the next one is asked for.
            drop(sent);
            let retry = first.is_some().then(retry);
            let page = match first {
                Some(page) => Ok(page),
                None => match taken.recv().await {
                    Some(page) => page,
                    None => return Ok(None),
                },
            };
            let Some(page) = unless_refused(page)? else {
                return Ok(None);
            };
            // What is written is JSON, in UTF-8.
            let text = std::str::from_utf8(page.json()).unwrap_or_default();
            let mut event = Event::default().event("page").id(page.next()).data(text);
            if let Some(retry) = retry {
                event = event.retry(retry);
            }
            Ok::<_, Cut>(Some((event, (None, taken, Some(page)))))
        },
    );
    let alive = KeepAlive::new().interval(HEARTBEAT);
    let body = Sse::new(events)
        .keep_alive(alive)
        .into_response()
        .into_body();
    ([UNBUFFERED], streamed(EVENTS, body)).into_response()
}

/// Another one for each.
fn retry() -> Duration {
    RETRY + Duration::from_millis(fastrand::u64(0..SPREAD_MILLIS))
}
