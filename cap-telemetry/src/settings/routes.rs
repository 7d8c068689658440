//! The routes: who may use them, and how they answer, in JSON or as a page.

use std::fmt;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cap_names::Actor;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use http::header::{HeaderName, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::backend::{AccessError, SettingsBackend};
use super::csrf::{self, CsrfKey};
use super::extract::{Admin, FormInput, JsonInput, Refusal, TOKEN_FIELD, admin, refusal};
use super::form::Form;
use super::page::{self, Outcome};
use super::service::{Failure, SettingsService};
use crate::telemetry::Telemetry;

/// Room for a certificate chain of some kilobytes.
const BODY_LIMIT: usize = 64 * 1024;
/// The headers of every answer. The page loads its own script and style, and nothing else; it
/// cannot be framed.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    // With `no-referrer`, a browser would not send the origin of a form.
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-store"),
];

/// Settings → Syslog, for an axum application to mount.
pub struct SettingsPage<B> {
    telemetry: Telemetry,
    backend: B,
    csrf_key: Option<CsrfKey>,
}

type Shared<B> = State<Arc<SettingsService<B>>>;

impl<B: SettingsBackend> SettingsPage<B> {
    /// The settings of `telemetry`, as part of the application behind `backend`.
    pub fn new(telemetry: Telemetry, backend: B) -> Self {
        Self { telemetry, backend, csrf_key: None }
    }

    /// Sets the key that replicas share, so that one accepts the forms of another. Default: a
    /// random key.
    #[must_use]
    pub fn csrf_key(mut self, key: CsrfKey) -> Self {
        self.csrf_key = Some(key);
        self
    }

    /// The routes, for `Router::nest`.
    ///
    /// # Panics
    ///
    /// When no key is set and the system has no random bytes.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let csrf_key = self.csrf_key.or_else(CsrfKey::random).expect("the system has random bytes");
        let service = Arc::new(SettingsService::new(self.telemetry, self.backend, csrf_key));
        Router::new()
            .route("/", get(show::<B>).put(save::<B>))
            .route("/test", post(test::<B>))
            .route("/status", get(status::<B>))
            .route("/page", get(show_page::<B>).post(save_page::<B>))
            .route("/page-test", post(test_page::<B>))
            .route("/page.css", get(async || file("text/css", page::STYLE)))
            .route("/page.js", get(async || file("text/javascript", page::SCRIPT)))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(from_fn_with_state(service.clone(), admit::<B>))
            .with_state(service)
    }
}

impl<B> fmt::Debug for SettingsPage<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsPage").finish_non_exhaustive()
    }
}

/// Admits an administrator whose request comes from this site. Runs before any part of the body is
/// read.
async fn admit<B: SettingsBackend>(
    State(service): Shared<B>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut response = match service.backend.authorize(&parts).await {
        Err(error @ AccessError::Unauthenticated) => {
            refusal(StatusCode::UNAUTHORIZED, error).into_response()
        }
        Err(error @ AccessError::Forbidden) => {
            refusal(StatusCode::FORBIDDEN, error).into_response()
        }
        Ok(_) if !parts.method.is_safe() && csrf::is_cross_site(&parts.headers) => {
            refusal(StatusCode::FORBIDDEN, "the request comes from another site").into_response()
        }
        Ok(actor) => {
            parts.extensions.insert(Admin(actor));
            next.run(Request::from_parts(parts, body)).await
        }
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

fn file(content_type: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, content_type)], text).into_response()
}

impl<B: SettingsBackend> SettingsService<B> {
    fn page(&self, actor: &Actor, form: &Form, outcome: &Outcome<'_>) -> Response {
        let token = self.csrf_key.token(&actor.to_string());
        let status = self.telemetry.status();
        let html = page::render(&token, form, status.syslog.as_ref(), outcome);
        let html = ([(CONTENT_TYPE, "text/html; charset=utf-8")], html.into_string());
        let code = match outcome {
            Outcome::Failed { status, .. } => *status,
            _ => StatusCode::OK,
        };
        (code, html).into_response()
    }

    fn failed_page(&self, actor: &Actor, form: &Form, failure: &Failure) -> Response {
        let outcome = Outcome::Failed {
            status: failure.status(),
            message: failure.to_string(),
            errors: match failure {
                Failure::Invalid(errors) => errors,
                _ => &[],
            },
        };
        self.page(actor, form, &outcome)
    }
}

async fn show<B: SettingsBackend>(
    State(service): Shared<B>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let mut body = service.status_and_settings();
    body[TOKEN_FIELD] = service.csrf_key.token(&admin(&request)?.to_string()).into();
    Ok(Json(body))
}

async fn status<B: SettingsBackend>(State(service): Shared<B>) -> Json<Value> {
    Json(service.status())
}

async fn save<B: SettingsBackend>(State(service): Shared<B>, entered: JsonInput) -> Response {
    let JsonInput { actor, form } = entered;
    let Some(form) = form else {
        return refusal(StatusCode::BAD_REQUEST, "send the settings as a JSON object")
            .into_response();
    };
    if let Err(failure) = service.clone().save(actor, form).await {
        return failure.into_response();
    }
    Json(service.status_and_settings()).into_response()
}

/// Tests the settings in force where the request has none.
async fn test<B: SettingsBackend>(State(service): Shared<B>, entered: JsonInput) -> Response {
    let JsonInput { actor, form } = entered;
    let form = form.unwrap_or_else(|| Form::in_force(&service.telemetry));
    match service.test(actor, form).await {
        Ok(probe) => Json(probe).into_response(),
        Err(failure) => failure.into_response(),
    }
}

async fn show_page<B: SettingsBackend>(
    State(service): Shared<B>,
    request: Request,
) -> Result<Response, Refusal> {
    let form = Form::in_force(&service.telemetry);
    Ok(service.page(&admin(&request)?, &form, &Outcome::None))
}

async fn save_page<B: SettingsBackend>(State(service): Shared<B>, entered: FormInput) -> Response {
    let FormInput { actor, form } = entered;
    match service.clone().save(actor.clone(), form.clone()).await {
        Ok(()) => {
            let form = Form::in_force(&service.telemetry);
            service.page(&actor, &form, &Outcome::Saved)
        }
        Err(failure) => service.failed_page(&actor, &form, &failure),
    }
}

/// Shows the form as entered, so that it can be corrected before it is saved.
async fn test_page<B: SettingsBackend>(State(service): Shared<B>, entered: FormInput) -> Response {
    let FormInput { actor, form } = entered;
    match service.clone().test(actor.clone(), form.clone()).await {
        Ok(probe) => service.page(&actor, &form, &Outcome::Tested(&probe)),
        Err(failure) => service.failed_page(&actor, &form, &failure),
    }
}
