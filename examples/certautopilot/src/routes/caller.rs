//! Who sent the request: a session's token, or what the proxy in front says in `x-actor`.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use cap_telemetry::names::Actor;
use cap_telemetry::trace;

use super::problem::Problem;
use crate::accounts::Sessions;
use crate::actor;
use crate::app::App;

/// The caller, who is also set on the request's span.
#[derive(Debug)]
pub(super) struct Caller(pub(super) Actor);

/// Who sent a request with these headers.
fn of(headers: &HeaderMap, sessions: &Sessions) -> Result<Actor, Problem> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    if let Some(authorization) = header(AUTHORIZATION.as_str()) {
        let token = authorization.strip_prefix("Bearer ");
        return session(sessions, token);
    }
    let Some(claimed) = header("x-actor") else {
        return Err(Problem::unauthorized(
            "log in and send the token, or name the caller in x-actor",
        ));
    };
    actor::claimed(claimed)
        .ok_or_else(|| Problem::bad_request("x-actor: write user:ID or api_key:ID"))
}

/// The same for a page, to which a browser sends the session as a cookie. Only where tokens against forged requests are checked
/// may a cookie count.
pub(crate) fn of_page(headers: &HeaderMap, sessions: &Sessions) -> Result<Actor, Problem> {
    let cookies = headers.get_all(COOKIE).iter();
    let mut cookies = cookies.filter_map(|cookies| cookies.to_str().ok());
    let token = cookies.find_map(|cookies| {
        let mut pairs = cookies.split(';');
        pairs.find_map(|pair| pair.trim().strip_prefix("session="))
    });
    match token {
        Some(token) => session(sessions, Some(token)),
        None => of(headers, sessions),
    }
}

fn session(sessions: &Sessions, token: Option<&str>) -> Result<Actor, Problem> {
    let user = token.and_then(|token| sessions.user(token));
    let user = user.ok_or_else(|| Problem::unauthorized("the session is unknown or over"))?;
    Ok(Actor::user(user))
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let actor = of(&parts.headers, &app.sessions)?;
        trace::current_span().set_org(&app.org_id).set_actor(&actor);
        Ok(Caller(actor))
    }
}
