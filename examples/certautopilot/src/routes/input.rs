//! What comes in, with errors that are problems too.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use cap_telemetry::trace;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::names::Slug;

/// A JSON body.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::from_request(request, state)
            .await
            .map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
        Ok(Body(body))
    }
}

/// A query string.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) = Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
        Ok(Asked(query))
    }
}

/// A project and what is asked for in it. The project is also set on the request's span.
#[derive(Debug)]
pub(super) struct InProject {
    pub(super) project: String,
    pub(super) id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for InProject {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(mut names) = Path::<Vec<Slug>>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        let id = if names.len() > 1 { names.pop() } else { None };
        let project = names.pop().map(Slug::into_string).unwrap_or_default();
        trace::current_span().set_project(&project);
        Ok(InProject {
            project,
            id: id.map(Slug::into_string).unwrap_or_default(),
        })
    }
}
