//! Who sent the request: a session's token, or what the proxy in front says in `x-actor`.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use cap_telemetry::names::Actor;
use cap_telemetry::tracing;

use super::problem::Problem;
use crate::actor;
use crate::app::App;

/// The caller, who is also set on the request's span.
#[derive(Debug)]
pub(super) struct Caller(pub(super) Actor);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let header = |name: &str| parts.headers.get(name)?.to_str().ok();
        let actor = if let Some(authorization) = header(AUTHORIZATION.as_str()) {
            let token = authorization.strip_prefix("Bearer ");
            let user = token.and_then(|token| app.sessions.user(token));
            let user =
                user.ok_or_else(|| Problem::unauthorized("the session is unknown or over"))?;
            Actor::user(user)
        } else if let Some(claimed) = header("x-actor") {
            actor::claimed(claimed)
                .ok_or_else(|| Problem::bad_request("x-actor: write user:ID or api_key:ID"))?
        } else {
            return Err(Problem::unauthorized(
                "log in and send the token, or name the caller in x-actor",
            ));
        };
        tracing::current().org(&app.org_id).actor(&actor);
        Ok(Caller(actor))
    }
}
