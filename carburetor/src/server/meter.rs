//! What programs can watch: a span for each request, and figures.

use super::problem::Problem;
use crate::download::Page;
use crate::outcome::Outcomes;
use crate::token::Token;
use axum::response::{IntoResponse, Response};
use std::time::{Duration, Instant};
use tracing::Instrument;

/// Answers within a span, which says how it ended and how long it took.
pub(super) async fn measured(
    group: &str,
    request: &'static str,
    answer: impl Future<Output = Result<Response, Problem>>,
) -> Response {
    let span = tracing::info_span!(
        "carburetor",
        request,
        group,
        status = tracing::field::Empty,
        seconds = tracing::field::Empty
    );
    let started = Instant::now();
    let response = answer.instrument(span.clone()).await.into_response();
    let (status, seconds) = (response.status().as_u16(), started.elapsed().as_secs_f64());
    span.record("status", status).record("seconds", seconds);
    figures::answered(group, request, status, seconds);
    response
}

/// Notes a page of a download and the token after it; with the last one, how far behind the clock its cutoffs are.
pub(super) fn page(group: &str, page: &Page, token: Option<&Token>) {
    let (bytes, last) = (page.json().len(), token.filter(|_| !page.more()));
    tracing::debug!(bytes, last = last.is_some(), "page");
    figures::page(group, bytes);
    let cutoffs = last.into_iter().flat_map(|token| &token.tables);
    if let Some(oldest) = cutoffs.filter_map(|table| table.instant()).min() {
        let age = chrono::Utc::now() - oldest;
        figures::cutoff_age(group, age.as_seconds_f64().max(0.0));
    }
}

/// Notes that a feed is open, until the value is dropped.
pub(super) fn feed(group: &str) -> impl Drop + use<> {
    figures::Feed::open(group)
}

/// Notes a page that a feed is about to send: how long ago the newest of what it says was written.
pub(super) fn told(group: &str, page: &Page) {
    if !page.is_empty() {
        let delay = chrono::Utc::now() - page.clock.instant();
        figures::told(group, delay.as_seconds_f64().max(0.0));
    }
}

/// Notes a row that can't travel.
pub(super) fn unreadable(group: &str, table: &str) {
    figures::unreadable(group, table);
}

/// Notes for how long the body of an upload was waited for.
pub(super) fn body(group: &str, time: Duration) {
    let seconds = time.as_secs_f64();
    tracing::debug!(seconds, "body");
    figures::body(group, seconds);
}

/// Notes how changes were answered.
pub(super) fn changes(group: &str, bytes: usize, outcomes: &Outcomes) {
    tracing::debug!(bytes, changes = outcomes.outcomes.len(), "changes");
    figures::changes(group, bytes, outcomes);
}

#[cfg(feature = "metrics")]
mod figures {
    use crate::outcome::{Outcomes, Verdict};
    use metrics::{counter, gauge, histogram};

    pub(super) fn answered(group: &str, request: &'static str, status: u16, seconds: f64) {
        let group = group.to_owned();
        counter!("carburetor_requests_total", "group" => group.clone(), "request" => request, "status" => status.to_string()).increment(1);
        histogram!("carburetor_request_seconds", "group" => group, "request" => request)
            .record(seconds);
    }

    pub(super) fn body(group: &str, seconds: f64) {
        histogram!("carburetor_body_seconds", "group" => group.to_owned()).record(seconds);
    }

    pub(super) fn page(group: &str, bytes: usize) {
        let group = group.to_owned();
        counter!("carburetor_download_pages_total", "group" => group.clone()).increment(1);
        counter!("carburetor_download_bytes_total", "group" => group).increment(bytes as u64);
    }

    pub(super) fn unreadable(group: &str, table: &str) {
        counter!("carburetor_unreadable_rows_total", "group" => group.to_owned(), "table" => table.to_owned())
            .increment(1);
    }

    /// An open feed.
    pub(super) struct Feed(String);

    impl Feed {
        pub(super) fn open(group: &str) -> Self {
            gauge!("carburetor_feeds", "group" => group.to_owned()).increment(1);
            Feed(group.to_owned())
        }
    }

    impl Drop for Feed {
        fn drop(&mut self) {
            gauge!("carburetor_feeds", "group" => std::mem::take(&mut self.0)).decrement(1);
        }
    }

    pub(super) fn told(group: &str, seconds: f64) {
        histogram!("carburetor_feed_delay_seconds", "group" => group.to_owned()).record(seconds);
    }

    pub(super) fn cutoff_age(group: &str, seconds: f64) {
        gauge!("carburetor_cutoff_age_seconds", "group" => group.to_owned()).set(seconds);
    }

    pub(super) fn changes(group: &str, bytes: usize, outcomes: &Outcomes) {
        counter!("carburetor_upload_bytes_total", "group" => group.to_owned())
            .increment(bytes as u64);
        for outcome in &outcomes.outcomes {
            let verdict = match outcome.verdict {
                Verdict::Applied => "applied",
                Verdict::Merged => "merged",
                Verdict::Superseded => "superseded",
                Verdict::Rejected(_) => "rejected",
                Verdict::Held => "held",
            };
            counter!("carburetor_changes_total", "group" => group.to_owned(), "verdict" => verdict)
                .increment(1);
        }
    }
}

#[cfg(not(feature = "metrics"))]
mod figures {
    use crate::outcome::Outcomes;

    pub(super) struct Feed;

    impl Feed {
        pub(super) fn open(_group: &str) -> Self {
            Feed
        }
    }

    impl Drop for Feed {
        fn drop(&mut self) {}
    }

    pub(super) fn answered(_group: &str, _request: &str, _status: u16, _seconds: f64) {}
    pub(super) fn body(_group: &str, _seconds: f64) {}
    pub(super) fn told(_group: &str, _seconds: f64) {}
    pub(super) fn page(_group: &str, _bytes: usize) {}
    pub(super) fn unreadable(_group: &str, _table: &str) {}
    pub(super) fn cutoff_age(_group: &str, _seconds: f64) {}
    pub(super) fn changes(_group: &str, _bytes: usize, _outcomes: &Outcomes) {}
}
