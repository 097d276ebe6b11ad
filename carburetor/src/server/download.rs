//! Downloads over HTTP, page by page. A page is read, then the connection goes back, then the page is sent: whoever reads slowly holds none.

use super::database::Database;
use super::problem::Problem;
use super::sync::{Served, ServedGroup};
use crate::download::Page;
use crate::token::Token;
use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tracing::Instrument;

/// What a request may say.
#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    since: Option<String>,
    limit: Option<u32>,
}

/// What a download's lines look like.
const LINES: &str = "application/x-ndjson";

/// Sends what is new within `scope`: one page as JSON, or all of them as lines.
pub(super) async fn download<G, D>(
    served: Served<D>,
    scope: G::Scope,
    parameters: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem>
where
    D: Database,
    G: ServedGroup<D::Connection>,
{
    let bad =
        |code, detail: String, remedy| Problem::new(StatusCode::BAD_REQUEST, code, detail, remedy);
    let Query(parameters) = parameters.map_err(|rejection| {
        bad(
            "query",
            rejection.body_text(),
            "pass `since` and `limit`, or neither",
        )
    })?;
    let since = parameters.since.as_deref().map(str::parse::<Token>);
    let since = since.transpose();
    let since = since.map_err(|error| bad("token", error.to_string(), "leave `since` out"))?;
    let limit = parameters.limit.unwrap_or(served.limits.page);
    if !(1..=served.limits.page).contains(&limit) {
        let detail = format!(
            "`limit` is {limit}, a page has 1 to {} rows",
            served.limits.page
        );
        return Err(bad("query", detail, "ask for fewer rows at once"));
    }
    let permit = Arc::clone(&served.streams).try_acquire_owned();
    let permit = permit.map_err(|_| Problem::busy("too many downloads are under way"))?;
    let wants_lines = headers.get_all(header::ACCEPT).iter().any(|accepted| {
        accepted
            .to_str()
            .is_ok_and(|accepted| accepted.contains(LINES))
    });
    // What is read is one page ahead of what is sent.
    let (pages, mut taken) = mpsc::channel(1);
    let reading = read::<G, D>(served, scope, since, limit, wants_lines, pages);
    tokio::spawn(reading.in_current_span());
    // Until the first page is there the answer may still be a refusal.
    let Some(first) = taken.recv().await else {
        return Err(Problem::busy("the server is going down"));
    };
    let first = first?;
    let caching = (header::CACHE_CONTROL, "private, no-store");
    if !wants_lines {
        return Ok(single(&headers, first, caching));
    }
    let sending = (Some(first), taken, permit);
    let body = Body::from_stream(stream::try_unfold(sending, next));
    Ok(([caching, (header::CONTENT_TYPE, LINES)], body).into_response())
}

/// One page as JSON, unless whoever asks has what it says.
fn single(headers: &HeaderMap, page: Page, caching: (HeaderName, &'static str)) -> Response {
    let tag = format!("\"{}\"", page.tag());
    let known = headers.get(header::IF_NONE_MATCH);
    let is_known = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let described = [caching, (header::CONTENT_TYPE, "application/json")];
    match is_known {
        true => (StatusCode::NOT_MODIFIED, described, [(header::ETAG, tag)]).into_response(),
        false => (described, [(header::ETAG, tag)], page.into_json()).into_response(),
    }
}

type Sending = (
    Option<Page>,
    mpsc::Receiver<Result<Page, Problem>>,
    OwnedSemaphorePermit,
);

/// The next page with the end of its line. A failure cuts the answer off, which has no `more: false` then.
async fn next((first, mut taken, permit): Sending) -> Result<Option<(Bytes, Sending)>, Cut> {
    let page = match first {
        Some(page) => Some(Ok(page)),
        None => taken.recv().await,
    };
    match page {
        None => Ok(None),
        Some(Ok(page)) => {
            let mut line = page.into_json();
            line.push(b'\n');
            Ok(Some((line.into(), (None, taken, permit))))
        }
        Some(Err(problem)) => Err(Cut(problem)),
    }
}

/// A download that failed midway.
#[derive(Debug)]
struct Cut(Problem);

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the download failed midway: {}", self.0.code())
    }
}

impl std::error::Error for Cut {}

/// Reads pages until nobody takes them, or all is of one instant.
async fn read<G, D>(
    served: Served<D>,
    scope: G::Scope,
    since: Option<Token>,
    limit: u32,
    all: bool,
    pages: mpsc::Sender<Result<Page, Problem>>,
) where
    D: Database,
    G: ServedGroup<D::Connection>,
{
    if let Err(problem) = G::pages(&served, &scope, since, limit, all, &pages).await {
        // Whoever has gone needs no reason.
        let _ = pages.send(Err(problem)).await;
    }
}
