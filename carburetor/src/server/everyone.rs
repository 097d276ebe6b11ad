//! The scope that shows everything, as an extractor: it has to be written out.

use crate::scope::Everyone;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;

impl<St: Send + std::marker::Sync> FromRequestParts<St> for Everyone {
    type Rejection = Infallible;

    async fn from_request_parts(_parts: &mut Parts, _state: &St) -> Result<Self, Infallible> {
        Ok(Everyone)
    }
}
