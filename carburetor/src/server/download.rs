//! Downloads over HTTP, page by page. A page is read, then the connection goes back, then the page is sent: whoever reads slowly holds none.

use super::apart::until;
use super::asking::Asking;
use super::caller::{Asked, Caller};
use super::database::Database;
use super::handover::{Pages, Taken, handover};
use super::negotiation::{JSON, LINES, VARY, is_known, wants_lines};
use super::problem::Problem;
use super::room::Told;
use super::served::{Sent, Served, ServedGroup};
use crate::token::Token;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tracing::Instrument;

pub(super) const CACHING: (HeaderName, &str) = (header::CACHE_CONTROL, "private, no-store");

/// Asks proxies to pass each page on as it comes.
pub(super) const UNBUFFERED: (HeaderName, &str) =
    (HeaderName::from_static("x-accel-buffering"), "no");

/// Sends what is new within `scope`: one page as JSON, or all of them as lines.
pub(super) async fn download<G, D>(
    served: Served<D>,
    caller: Caller<G::Scope>,
    scope: G::Scope,
    asking: Asking,
    (method, headers): (Method, HeaderMap),
) -> Result<Response, Problem>
where
    D: Database,
    G: ServedGroup<D::Connection>,
{
    let (since, limit) = asking.read(None, &served.limits)?;
    let permit = Arc::clone(&served.downloads).try_acquire_owned();
    let permit = permit.map_err(|_| Problem::busy("too many downloads are under way"))?;
    let share = served.share::<G>(&scope)?;
    let own = Arc::clone(&share.streams).try_acquire_owned();
    let own = own.map_err(|_| Problem::busy("too many downloads are under way in this scope"))?;
    let wants_lines = wants_lines(&headers, JSON);
    // What is read is one page ahead of what is sent.
    let (pages, taken) = handover(since.as_ref(), share, &served.limits);
    let scope = Arc::new(scope);
    // One page is on its way at once.
    let asked = wants_lines.then(|| caller.open(&served, &pages, &scope));
    let reading = read::<G, D>(served, asked, scope, since, limit, pages, [permit, own]);
    tokio::spawn(reading.in_current_span());
    let (first, taken) = first_of(taken).await?;
    Ok(match wants_lines {
        true => lines(first, taken, None),
        false => single(&method, &headers, first),
    })
}

/// The first page; until it is there the answer may still be a refusal.
pub(super) async fn first_of(mut taken: Taken) -> Result<(Arc<Told>, Taken), Problem> {
    match taken.recv().await {
        Some(first) => Ok((first.map_err(|problem| *problem)?, taken)),
        None => Err(Problem::busy("the server is going down")),
    }
}

/// One page as JSON, unless whoever asks has what it says.
fn single(method: &Method, headers: &HeaderMap, page: Arc<Told>) -> Response {
    let tag = format!("\"{}\"", page.tag());
    let described = [CACHING, VARY, (header::CONTENT_TYPE, JSON)];
    match is_known(method, headers, &tag) {
        true => (StatusCode::NOT_MODIFIED, described, [(header::ETAG, tag)]).into_response(),
        false => {
            let body = Bytes::from_owner(Arc::unwrap_or_clone(page));
            (described, [(header::ETAG, tag)], body).into_response()
        }
    }
}

/// The pages as lines, as they come; with a `heartbeat`, an empty line after so long without one.
pub(super) fn lines(first: Arc<Told>, taken: Taken, heartbeat: Option<Duration>) -> Response {
    let pages = stream::try_unfold(
        (Some(first), taken, None),
        move |(first, mut taken, sent)| async move {
            // It is written, or about to be, when the next one is asked for.
            drop(sent);
            let page = match (first, heartbeat) {
                (Some(page), _) => Ok(page),
                (None, None) => match taken.recv().await {
                    Some(page) => page,
                    None => return Ok(None),
                },
                (None, Some(heartbeat)) => match timeout(heartbeat, taken.recv()).await {
                    Ok(Some(page)) => page,
                    Ok(None) => return Ok(None),
                    Err(_) => return Ok(Some((Bytes::from_static(b"\n"), (None, taken, None)))),
                },
            };
            let Some(page) = unless_refused(page)? else {
                return Ok(None);
            };
            let (mut line, room) = Arc::unwrap_or_clone(page).into_parts();
            line.push(b'\n');
            Ok::<_, Cut>(Some((line.into(), (None, taken, room))))
        },
    );
    let unbuffered = heartbeat.map(|_| [UNBUFFERED]);
    (unbuffered, streamed(LINES, Body::from_stream(pages))).into_response()
}

/// A page, unless the answer ends before it: in order where the caller is refused, who learns more when he comes back.
pub(super) fn unless_refused(page: Sent) -> Result<Option<Arc<Told>>, Cut> {
    match page {
        Err(problem) if problem.is_refusal() => Ok(None),
        page => page.map(Some).map_err(Cut),
    }
}

/// An answer that comes bit by bit. It has room for the four headers of a feed: hyper keeps what room there is as long as the connection is open.
pub(super) fn streamed(kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.reserve(4);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in [CACHING, VARY] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A download that failed midway: the answer is cut off, and has no `more: false` then.
#[derive(Debug)]
pub(super) struct Cut(pub(super) Box<Problem>);

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the download failed midway: {}", self.0.code())
    }
}

impl std::error::Error for Cut {}

/// Reads one page, or, for a caller who is asked again meanwhile, pages until nobody takes them, or all is of one instant.
async fn read<G, D>(
    served: Served<D>,
    asked: Option<Asked<G::Scope>>,
    scope: Arc<G::Scope>,
    since: Option<Token>,
    limit: u32,
    pages: Pages,
    _permits: [OwnedSemaphorePermit; 2],
) where
    D: Database,
    G: ServedGroup<D::Connection>,
{
    let (all, pages) = (asked.is_some(), Arc::new(pages));
    let reading = {
        let (served, scope, pages) = (served.clone(), Arc::clone(&scope), Arc::clone(&pages));
        async move { G::pages(&served, &scope, since, limit, all, &pages).await }
    };
    let over = async {
        let changed = async {
            match asked {
                None => pending().await,
                Some(mut asked) => asked.changed::<G, D>(&served, &pages, &scope).await,
            }
        };
        let problem = tokio::select! {
            // Whoever has gone needs no reason.
            () = pages.closed() => None,
            problem = pages.overdue() => Some(problem),
            () = served.shutdown.over() => Some(Problem::busy("the server is going down")),
            changed = changed => Some(match changed {
                // Whoever comes back goes on from his last page.
                Ok(_) => Problem::busy("the caller may see something else now"),
                Err(problem) => problem,
            }),
        };
        // Whoever asked doesn't wait for what is dropped then.
        problem.into_iter().for_each(|problem| pages.end(problem));
    };
    if let Ok(Err(problem)) = until(reading, over).await {
        pages.end(problem);
    }
}
