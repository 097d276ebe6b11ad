//! What whoever downloads or follows says: in the address, or in a body where that is too long.

use super::limits::Limits;
use super::problem::Problem;
use crate::token::Token;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, Query, Request};
use axum::http::{Method, StatusCode};
use serde::Deserialize;
use std::convert::Infallible;

/// What a request may say.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Parameters {
    since: Option<String>,
    limit: Option<u32>,
    /// In an address: whether those that came beside the token are held. In a body: those themselves.
    keys: Option<String>,
}

/// A request as it came.
#[derive(Debug)]
pub(super) enum Asking {
    Address(Result<Query<Parameters>, QueryRejection>),
    Body(Result<Json<Parameters>, JsonRejection>),
}

impl<St: Send + Sync> FromRequest<St> for Asking {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &St) -> Result<Self, Infallible> {
        Ok(match *request.method() {
            Method::POST => Asking::Body(Json::from_request(request, state).await),
            _ => Asking::Address(Query::from_request(request, state).await),
        })
    }
}

impl Asking {
    /// From where to read, and how many rows a page has. What a client says that goes on by itself (`last`) is later than its address.
    pub(super) fn read(
        self,
        last: Option<&str>,
        limits: &Limits,
    ) -> Result<(Option<Token>, u32), Problem> {
        let (parameters, keys, asks_for_keys) = match self {
            Asking::Address(said) => {
                let Query(said) = said.map_err(|rejection| query(rejection.body_text()))?;
                let holds = said.keys.as_deref() == Some("held");
                (said, None, holds)
            }
            Asking::Body(said) => {
                let Json(mut said) = said.map_err(|rejection| body(&rejection))?;
                let keys = said.keys.take();
                (said, keys, false)
            }
        };
        let since = last.or(parameters.since.as_deref());
        let since = match (since, keys) {
            (Some(since), Some(keys)) => Some(format!("{since}.{keys}").parse::<Token>()),
            (since, _) => since.map(str::parse),
        };
        let since = since
            .transpose()
            .map_err(|error| bad("token", error.to_string(), "leave `since` out"))?;
        let since = since.map(|since| Token {
            asks_for_keys,
            ..since
        });
        let limit = match parameters.limit {
            None => limits.page,
            Some(0) => {
                let detail = "`limit` is 0, a page has 1 row at least".into();
                return Err(bad(
                    "query",
                    detail,
                    "ask for more rows, or leave `limit` out",
                ));
            }
            Some(limit) => limit.min(limits.page),
        };
        Ok((since, limit))
    }
}

fn bad(code: &'static str, detail: String, remedy: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, detail, remedy)
}

fn query(detail: String) -> Problem {
    bad("query", detail, "pass `since` and `limit`, or neither")
}

fn body(rejection: &JsonRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body",
            "the body has more bytes than the server takes",
            "leave `keys` out",
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "type",
            "the body is not said to be `application/json`",
            "send the header `Content-Type: application/json`",
        ),
        _ => bad(
            "query",
            rejection.body_text(),
            "send `since`, `keys` and `limit` as members of an object, or some of them",
        ),
    }
}
