//! The parts of a request: an administrator, the CSRF token and the settings, or else a refusal.

use std::fmt;
use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use axum::{Form as Posted, Json};
use cap_names::Actor;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::backend::{AccessError, SettingsBackend};
use super::form::Form;
use super::service::SettingsService;

const TOKEN_HEADER: &str = "x-csrf-token";
pub(super) const TOKEN_FIELD: &str = "csrf_token";

/// The administrator who sent the request.
#[derive(Clone)]
pub(super) struct Admin(pub(super) Actor);

/// A request that is not handled, and why.
#[derive(Debug)]
pub(super) struct Refusal(StatusCode, String);

pub(super) fn refusal(status: StatusCode, message: impl fmt::Display) -> Refusal {
    Refusal(status, message.to_string())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refusal(status, message) = self;
        (status, Json(json!({ "error": message }))).into_response()
    }
}

/// An administrator and a posted form, whose token is valid. No handler reads a body in another
/// way.
pub(super) struct FormInput {
    pub(super) actor: Actor,
    pub(super) form: Form,
}

/// As [`FormInput`] for JSON, with the token in a header. `None`: the request has no body.
pub(super) struct JsonInput {
    pub(super) actor: Actor,
    pub(super) form: Option<Form>,
}

fn token_refused() -> Refusal {
    refusal(
        StatusCode::FORBIDDEN,
        "the CSRF token is missing or too old: reload the page, or take a new token from GET",
    )
}

pub(super) fn admin(request: &Request) -> Result<Actor, Refusal> {
    let admin = request.extensions().get::<Admin>();
    let admin =
        admin.ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, AccessError::Unauthenticated))?;
    Ok(admin.0.clone())
}

impl<B: SettingsBackend> FromRequest<Arc<SettingsService<B>>> for JsonInput {
    type Rejection = Refusal;

    async fn from_request(
        request: Request,
        service: &Arc<SettingsService<B>>,
    ) -> Result<Self, Refusal> {
        let actor = admin(&request)?;
        let token = request.headers().get(TOKEN_HEADER);
        let token = token.and_then(|token| token.to_str().ok());
        if !service.csrf_key.accepts(&actor.to_string(), token.unwrap_or_default()) {
            return Err(token_refused());
        }
        let body = Option::<Json<Map<String, Value>>>::from_request(request, service).await;
        let body = body.map_err(|rejection| refusal(rejection.status(), rejection.body_text()))?;
        let form = body.map(|Json(object)| Form::from_json(object)).transpose();
        let form = form.map_err(|what| refusal(StatusCode::BAD_REQUEST, what))?;
        Ok(JsonInput { actor, form })
    }
}

impl<B: SettingsBackend> FromRequest<Arc<SettingsService<B>>> for FormInput {
    type Rejection = Refusal;

    async fn from_request(
        request: Request,
        service: &Arc<SettingsService<B>>,
    ) -> Result<Self, Refusal> {
        let actor = admin(&request)?;
        let posted = Posted::<Vec<(String, String)>>::from_request(request, service).await;
        let Posted(mut pairs) =
            posted.map_err(|rejection| refusal(rejection.status(), rejection.body_text()))?;
        let token = pairs.iter().position(|(name, _)| name == TOKEN_FIELD);
        let token = token.map(|at| pairs.swap_remove(at).1).unwrap_or_default();
        if !service.csrf_key.accepts(&actor.to_string(), &token) {
            return Err(token_refused());
        }
        let form =
            Form::from_pairs(pairs).map_err(|what| refusal(StatusCode::BAD_REQUEST, what))?;
        Ok(FormInput { actor, form })
    }
}
