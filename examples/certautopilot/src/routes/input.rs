//! Who sent a request, what it is about, and its body. The first two are also set on its span.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use cap_telemetry::names::Actor;
use cap_telemetry::trace;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::app::App;
use crate::names::Slug;

/// The caller.
#[derive(Debug)]
pub(super) struct Caller(pub(super) Actor);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let actor = app.sessions.caller(&parts.headers)?;
        trace::current_span()
            .set_org(&app.config.org_id)
            .set_actor(&actor);
        Ok(Self(actor))
    }
}

/// A project, and the id of what is asked for in it; empty for the project itself.
#[derive(Debug)]
pub(super) struct InProject {
    pub(super) project: String,
    pub(super) id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for InProject {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(names) = Path::<Vec<Slug>>::from_request_parts(parts, state).await?;
        let mut names = names.into_iter().map(String::from);
        let project = names.next().unwrap_or_default();
        trace::current_span().set_project(&project);
        Ok(Self {
            project,
            id: names.next().unwrap_or_default(),
        })
    }
}

/// A JSON body, whose errors are problems too.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}
