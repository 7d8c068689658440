//! `POST /auth/login`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{HeaderName, SET_COOKIE};
use cap_telemetry::names::{Actor, Severity};
use cap_telemetry::trace;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::Body;
use super::problem::Problem;
use crate::accounts::{self, SESSION};
use crate::app::App;
use crate::audit::{Entry, EventType};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    user: String,
    password: String,
}

/// 200 and a token, for pages also as a cookie (a proxy that ends TLS in front adds `Secure`); 401
/// for a wrong user and a wrong password alike. Both are audited.
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
