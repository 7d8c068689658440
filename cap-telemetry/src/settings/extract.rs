//! What comes in with a request: an administrator, their token, and settings; or a refusal.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use axum::{Form as Posted, Json};
use cap_names::Actor;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::backend::SettingsBackend;
use super::form::Form;
use super::service::SettingsService;

const TOKEN_HEADER: &str = "x-csrf-token";
pub(super) const TOKEN_FIELD: &str = "csrf_token";

/// The administrator whose request it is.
#[derive(Clone)]
pub(super) struct Admin(pub(super) Actor);

/// A request that goes no further.
#[derive(Debug)]
pub(super) struct Refusal(StatusCode, String);

pub(super) fn refusal(status: StatusCode, message: impl Into<String>) -> Refusal {
    Refusal(status, message.into())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refusal(status, message) = self;
        (status, Json(json!({ "error": message }))).into_response()
    }
}

/// An administrator and the settings that came with the token. There is no other way to a body.
pub(super) struct FormInput {
    pub(super) actor: Actor,
    pub(super) form: Form,
}

/// The same as JSON, with the token in a header. No body at all is no settings.
pub(super) struct JsonInput {
    pub(super) actor: Actor,
    pub(super) form: Option<Form>,
}

fn token_is_missing() -> Refusal {
    refusal(
        StatusCode::FORBIDDEN,
        "the CSRF token is missing or too old: reload the page, or take a new one from GET",
    )
}

pub(super) fn admin(request: &Request) -> Result<Actor, Refusal> {
    let admin = request.extensions().get::<Admin>();
    let admin = admin.ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, "log in first"))?;
    Ok(admin.0.clone())
}

impl<H: SettingsBackend> FromRequest<Arc<SettingsService<H>>> for JsonInput {
    type Rejection = Refusal;

    async fn from_request(
        request: Request,
        app: &Arc<SettingsService<H>>,
    ) -> Result<Self, Refusal> {
        let actor = admin(&request)?;
        let token = request.headers().get(TOKEN_HEADER);
        let token = token
            .and_then(|token| token.to_str().ok())
            .unwrap_or_default();
        if !app.csrf_key.accepts(&actor.to_string(), token) {
            return Err(token_is_missing());
        }
        let body = Option::<Json<Map<String, Value>>>::from_request(request, app).await;
        let body = body.map_err(|rejection| refusal(rejection.status(), rejection.body_text()))?;
        let form = body.map(|Json(object)| Form::from_json(object)).transpose();
        let form = form.map_err(|what| refusal(StatusCode::BAD_REQUEST, what))?;
        Ok(JsonInput { actor, form })
    }
}

impl<H: SettingsBackend> FromRequest<Arc<SettingsService<H>>> for FormInput {
    type Rejection = Refusal;

    async fn from_request(
        request: Request,
        app: &Arc<SettingsService<H>>,
    ) -> Result<Self, Refusal> {
        let actor = admin(&request)?;
        let posted = Posted::<Vec<(String, String)>>::from_request(request, app).await;
        let Posted(mut pairs) =
            posted.map_err(|rejection| refusal(rejection.status(), rejection.body_text()))?;
        let token = pairs.iter().position(|(name, _)| name == TOKEN_FIELD);
        let token = token.map(|at| pairs.swap_remove(at).1).unwrap_or_default();
        if !app.csrf_key.accepts(&actor.to_string(), &token) {
            return Err(token_is_missing());
        }
        let form = Form::posted(pairs).map_err(|what| refusal(StatusCode::BAD_REQUEST, what))?;
        Ok(FormInput { actor, form })
    }
}
