//! Uploads over HTTP.

use super::apart::apart;
use super::database::Database;
use super::limits::Limits;
use super::loan::Loan;
use super::meter;
use super::negotiation;
use super::origin;
use super::problem::Problem;
use super::served::{Served, ServedGroup};
use crate::change::Changes;
use crate::upload::UploadOptions;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The whole body of `request`, unless it is too long or comes too slowly.
async fn body(request: Request, limits: Limits) -> Result<Bytes, Problem> {
    let body = tokio::time::timeout(limits.time, Bytes::from_request(request, &())).await;
    let body = body.map_err(|_| {
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow",
            format!("the body was not there after {:?}", limits.time),
            "send fewer changes at once",
        )
    })?;
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body",
            format!("more than {} bytes", limits.body),
            "send fewer changes at once",
        ),
        // The connection broke.
        status => Problem::new(status, "message", "the body can't be read", "send it again"),
    })
}

/// Applies the changes that `request` brings within `scope`, and answers each.
pub(super) async fn upload<G, D>(
    served: Served<D>,
    scope: G::Scope,
    request: Request,
) -> Result<Response, Problem>
where
    D: Database,
    G: ServedGroup<D::Connection>,
{
    let limits = served.limits;
    origin::admit(request.headers(), request.uri(), &served.origins)?;
    negotiation::admit(request.headers())?;
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    // What doesn't say how long it is may be as long as any.
    let length = length.unwrap_or(limits.body).min(limits.body);
    let share = served.share::<G>(&scope)?;
    let mut room = share.body(length, limits.time).await?;
    let body = body(request, limits).await?;
    room.fit(body.len());
    let changes = Changes::read(&body).map_err(|error| Problem::message(&error))?;
    let bytes = body.len();
    drop(body);
    let options = UploadOptions {
        limit: limits.batch,
        time: Some(limits.time),
        ..UploadOptions::default()
    };
    let database = served.database.clone();
    let outcomes = apart(limits.time, async move {
        // The changes take it until they are let go.
        let _room = room;
        let mut loan = Loan::of(&database, limits.time).await?;
        let outcomes = G::take(&scope, loan.connection()?, &changes, &options).await;
        loan.give_back();
        outcomes
    });
    let outcomes = outcomes.await?;
    let json = serde_json::to_vec(&outcomes).unwrap_or_default();
    meter::changes(&served.name, bytes, &outcomes);
    Ok((
        [
            (header::CONTENT_TYPE, negotiation::JSON),
            (header::CACHE_CONTROL, "no-store"),
        ],
        json,
    )
        .into_response())
}
