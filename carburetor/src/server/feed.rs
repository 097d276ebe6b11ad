//! Feeds: downloads that don't end. After the pages that are new comes, whenever something changes in the scope, what has changed.

mod channel;
mod channels;
mod follow;
mod socket;
mod sse;
mod waker;

pub(super) use channels::{BackendOf, Channels};

use super::apart::until;
use super::asking::Asking;
use super::caller::Caller;
use super::database::Database;
use super::download::{first_of, lines};
use super::handover::handover;
use super::meter;
use super::negotiation::wants_lines;
use super::origin;
use super::problem::Problem;
use super::served::{Served, ServedGroup};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use axum::response::Response;
use follow::Follower;
use std::sync::Arc;
use std::time::Duration;

/// How long a feed is silent at most.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What feeds look like otherwise.
const EVENTS: &str = "text/event-stream";

/// What an `EventSource` says of the last event that it got.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The web socket that was asked for, if one was.
pub(super) type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Whether a request means to open a web socket, be it as it has to.
fn asks_for_socket(headers: &HeaderMap) -> bool {
    headers.contains_key(header::SEC_WEBSOCKET_KEY)
        || headers.contains_key(header::SEC_WEBSOCKET_VERSION)
}

/// What a request for a feed says, and what its caller may see.
pub(super) struct Asked<S> {
    pub(super) scope: S,
    pub(super) asking: Asking,
    pub(super) upgrade: Upgrade,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// Sends what is new within the caller's scope, and then what changes.
pub(super) async fn feed<G, D>(
    served: Arc<Served<D>>,
    channels: Arc<Channels<BackendOf<D>>>,
    caller: Caller<G::Scope>,
    asked: Asked<G::Scope>,
) -> Result<Response, Problem>
where
    D: Database,
    G: ServedGroup<D::Connection>,
{
    let Asked {
        scope,
        asking,
        upgrade,
        uri,
        headers,
    } = asked;
    let last = headers.get(LAST_EVENT_ID);
    let last = last.and_then(|last| last.to_str().ok());
    let (since, limit) = asking.read(last, &served.limits)?;
    let upgrade = match upgrade {
        Ok(upgrade) => {
            origin::admit(&headers, &uri, &served.origins)?;
            Some(upgrade)
        }
        Err(_) if asks_for_socket(&headers) => return Err(Problem::upgrade()),
        Err(_) => None,
    };
    let wants_lines = wants_lines(&headers, EVENTS);
    // The connection's buffer is taken up by them as long as they are kept.
    drop((headers, uri));
    if served.shutdown.has_begun() {
        return Err(Problem::busy("the server is going down"));
    }
    let permit = Arc::clone(&served.feeds).try_acquire_owned();
    let permit = permit.map_err(|_| Problem::busy("too many feeds are open"))?;
    let scope = Arc::new(scope);
    let subscription = channels.subscribe::<G, D>(&served, &scope)?;
    let (pages, taken) = {
        let share = served.share::<G>(&scope)?;
        handover(since.as_ref(), share, &served.limits)
    };
    let time = served.limits.send_time;
    let open = meter::feed(&served.name);
    let caller = caller.open(&served, &pages, &scope);
    tokio::spawn(async move {
        let follower = Follower {
            caller,
            scope,
            subscription: Arc::new(subscription),
            limit,
        };
        let pages = Arc::new(pages);
        let following = {
            let (served, pages) = (Arc::clone(&served), Arc::clone(&pages));
            async move { follower.follow::<G, D>(served, channels, pages).await }
        };
        let over = async {
            tokio::select! {
                () = served.shutdown.begun() => {}
                () = tokio::time::sleep(served.limits.feed_time) => {}
                () = pages.closed() => {}
                // Whoever follows doesn't wait for what is dropped then.
                problem = pages.overdue() => pages.end(problem),
            }
        };
        if let Ok(Err(problem)) = until(following, over).await {
            pages.end(problem);
        }
        drop((permit, open));
    });
    let (first, taken) = first_of(taken).await?;
    Ok(match upgrade {
        Some(upgrade) => socket::open(upgrade, first, taken, time),
        None if wants_lines => lines(first, taken, Some(HEARTBEAT)),
        None => sse::events(first, taken),
    })
}
