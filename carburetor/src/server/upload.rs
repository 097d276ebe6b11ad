//! Uploads over HTTP.

use super::database::Database;
use super::problem::Problem;
use super::served::{Served, ServedGroup, within};
use crate::change::Changes;
use crate::upload::UploadOptions;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Applies the changes in `body` within `scope`, and answers each.
pub(super) async fn upload<G, D>(
    served: Served<D>,
    scope: G::Scope,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem>
where
    D: Database,
    G: ServedGroup<D::Connection>,
{
    let limits = served.limits;
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body",
            format!("more than {} bytes", limits.body),
            "send fewer changes at once",
        ),
        // The connection broke.
        status => Problem::new(status, "message", "the body can't be read", "send it again"),
    })?;
    let changes = Changes::read(&body).map_err(|error| Problem::message(&error))?;
    drop(body);
    let options = UploadOptions {
        limit: limits.batch,
        ..UploadOptions::default()
    };
    let outcomes = within(limits.time, async {
        let mut conn = served.database.lend().await?;
        Ok(G::take(&scope, &mut *conn, &changes, &options).await?)
    });
    let outcomes = outcomes.await?;
    let json = serde_json::to_vec(&outcomes).unwrap_or_default();
    tracing::debug!(group = %served.name, changes = changes.changes.len(), "uploaded");
    Ok((
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        json,
    )
        .into_response())
}
