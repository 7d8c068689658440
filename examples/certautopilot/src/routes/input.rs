//! Who sent a request, what it is about, and its body.

use std::collections::BTreeMap;
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

/// An authenticated request: who sent it, and what its path names. They are set on its span.
pub(super) struct Call {
    pub(super) app: Arc<App>,
    pub(super) actor: Actor,
    pub(super) project: String,
    /// What is asked for, in the project or of the service.
    pub(super) id: String,
}

impl FromRequestParts<Arc<App>> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let (app, span) = (app.clone(), trace::current_span());
        let actor = app.sessions.caller(&parts.headers)?;
        span.set_org(&app.config.org_id).set_actor(&actor);
        let Path(mut names) =
            Path::<BTreeMap<String, Slug>>::from_request_parts(parts, &app).await?;
        let project = names.remove("projectId").map(String::from).unwrap_or_default();
        if !project.is_empty() {
            span.set_project(&project);
        }
        let id = names.into_values().next().map(String::from).unwrap_or_default();
        Ok(Self { app, actor, project, id })
    }
}

/// A JSON body, whose errors are problems too.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}
