//! Uploads over HTTP.

use super::apart::apart;
use super::body::body;
use super::database::Database;
use super::loan::Loan;
use super::meter;
use super::negotiation;
use super::origin;
use super::problem::Problem;
use super::served::{Served, ServedGroup};
use crate::change::Changes;
use crate::upload::UploadOptions;
use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};

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
    let share = served.share::<G>(&scope)?;
    let (body, room) = body(&served.name, request, &share, &limits).await?;
    let changes = Changes::read(&body).map_err(|error| Problem::message(&error))?;
    let bytes = body.len();
    drop(body);
    let options = UploadOptions {
        limit: limits.batch,
        time: Some(limits.time),
        answer: limits.answer,
        ..UploadOptions::default()
    };
    let database = served.database.clone();
    let outcomes = apart(limits.time, async move {
        // The changes take it until they are let go.
        let _room = room;
        let mut loan = Loan::of(&database, limits.time).await?;
        let outcomes = G::take(&scope, loan.connection()?, &changes, &options).await;
        loan.give_back(outcomes.as_ref().is_err_and(Problem::is_of_database));
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
