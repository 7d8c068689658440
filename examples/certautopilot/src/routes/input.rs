//! Who sent a request and how they log in, what it is about, and its body.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderName, SET_COOKIE};
use axum::http::request::Parts;
use cap_telemetry::names::{Actor, Severity};
use cap_telemetry::trace;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::accounts::{self, SESSION};
use crate::app::App;
use crate::audit::{Entry, EventType};
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
        let project = names.remove("projectId").map(|it| it.0).unwrap_or_default();
        if !project.is_empty() {
            span.set_project(&project);
        }
        let id = names.into_values().next().map(|it| it.0).unwrap_or_default();
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    user: String,
    password: String,
}

/// `POST /auth/login`: 200 and a token, for pages also as a cookie (a proxy that ends TLS in front
/// adds `Secure`); 401 for a wrong user and a wrong password alike. Both are audited.
pub(super) async fn login(
    State(app): State<Arc<App>>,
    Body(Credentials { user, password }): Body<Credentials>,
) -> Result<([(HeaderName, String); 1], Json<Value>), Problem> {
    // Anybody may have made the name up.
    let mut claimed: String = user.chars().filter(|c| !c.is_control()).take(64).collect();
    if claimed.is_empty() {
        claimed.push_str("unnamed");
    }
    let actor = Actor::user(&claimed);
    trace::current_span().set_org(&app.config.org_id).set_actor(&actor);
    let check = move || accounts::password_is_right(&user, &password);
    let right = tokio::task::spawn_blocking(check).await.unwrap_or(false);
    let entry = if right {
        Entry::new(EventType::Login, actor, format!("{claimed} logged in"))
    } else {
        let summary = format!("Wrong user or password for {claimed}");
        Entry::new(EventType::LoginFailed, actor, summary).severity(Severity::Warn)
    };
    let entry = entry.resource("user", &claimed);
    app.store.write("insert", "audit", move |work| work.record(entry)).await?;
    if !right {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "wrong user or password"));
    }
    let (token, seconds) = (app.sessions.open(&claimed), SESSION.as_secs());
    let cookie = format!("session={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}");
    let body = json!({ "token": token, "expires_in": seconds });
    Ok(([(SET_COOKIE, cookie)], Json(body)))
}
