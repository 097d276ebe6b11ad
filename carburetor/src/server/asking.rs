//! What whoever downloads or follows says: in the address, or in a body where that is too long.

use super::limits::Limits;
use super::negotiation;
use super::problem::Problem;
use crate::token::Token;
use crate::wire::object::Object;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, Query, Request};
use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use std::convert::Infallible;

/// What a request may say.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Parameters {
    since: Option<String>,
    /// A number; in an address its digits.
    limit: Option<Value>,
    /// In an address: whether those that came beside the token are held. In a body: those themselves.
    keys: Option<String>,
}

/// A request as it came.
#[derive(Debug)]
pub(super) enum Asking {
    Address(Result<Query<Parameters>, QueryRejection>),
    Body(Result<Json<Object<Parameters>>, JsonRejection>),
    /// The body is in another encoding than UTF-8.
    Foreign(Problem),
}

impl<St: Send + Sync> FromRequest<St> for Asking {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &St) -> Result<Self, Infallible> {
        Ok(match *request.method() {
            Method::POST => match negotiation::is_utf8(request.headers()) {
                true => Asking::Body(Json::from_request(request, state).await),
                false => Asking::Foreign(kind()),
            },
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
        let is_address = matches!(self, Asking::Address(_));
        let (parameters, keys, asks_for_keys) = match self {
            Asking::Address(said) => {
                let Query(said) = said.map_err(|rejection| query(rejection.body_text()))?;
                let holds = said.keys.as_deref() == Some("held");
                (said, None, holds)
            }
            Asking::Body(said) => {
                let Json(Object(mut said)) = said.map_err(|rejection| body(&rejection))?;
                let keys = said.keys.take();
                (said, keys, false)
            }
            Asking::Foreign(problem) => return Err(problem),
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
        let limit = match &parameters.limit {
            None | Some(Value::Null) => limits.page,
            Some(limit) => rows(limit, is_address)?.min(limits.page),
        };
        Ok((since, limit))
    }
}

fn bad(code: &'static str, detail: String, remedy: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, detail, remedy)
}

/// How many rows are asked for: at least one, and as many as the server sends where it is more than a number holds.
fn rows(limit: &Value, is_address: bool) -> Result<u32, Problem> {
    let said = match limit {
        Value::String(said) if is_address => said.clone(),
        other => other.to_string(),
    };
    let digits = said.strip_prefix('-').unwrap_or(&said);
    let is_whole = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_whole {
        let detail = format!("`limit` is `{said}`, which is no whole number");
        return Err(bad("query", detail, LIMIT));
    }
    match said.starts_with('-') || digits.bytes().all(|digit| digit == b'0') {
        true => {
            let detail = format!("`limit` is {said}, a page has 1 row at least");
            Err(bad("query", detail, LIMIT))
        }
        false => Ok(digits.parse().unwrap_or(u32::MAX)),
    }
}

const LIMIT: &str = "ask for 1 row or more, in digits, or leave `limit` out";

fn query(detail: String) -> Problem {
    bad(
        "query",
        detail,
        "pass each of `since`, `limit` and `keys` once, or leave it out",
    )
}

fn kind() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "type",
        "the body is not said to be `application/json` in UTF-8",
        "send the header `Content-Type: application/json`",
    )
}

fn body(rejection: &JsonRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body",
            "the body has more bytes than the server takes",
            "leave `keys` out",
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => kind(),
        _ => bad(
            "query",
            rejection.body_text(),
            "send `since`, `keys` and `limit` as members of an object, or some of them",
        ),
    }
}
