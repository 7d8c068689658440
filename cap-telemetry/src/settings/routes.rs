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
use super::service::{Failed, SettingsService};
use crate::telemetry::Telemetry;

/// A certificate chain of a private CA has some kilobytes.
const BODY_LIMIT: usize = 64 * 1024;
/// What every answer says. The page's own script and style are files of their own; nothing else is loaded, framed or sent elsewhere.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    // Without a referrer, a browser would not say which origin a form comes from.
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-store"),
];

/// Settings → Syslog, ready to be mounted.
pub struct SettingsPage<H> {
    telemetry: Telemetry,
    backend: H,
    csrf_key: Option<CsrfKey>,
}

type Shared<H> = State<Arc<SettingsService<H>>>;

impl<H: SettingsBackend> SettingsPage<H> {
    /// The settings of these pipes, in this application.
    pub fn new(telemetry: Telemetry, backend: H) -> Self {
        SettingsPage {
            telemetry,
            backend,
            csrf_key: None,
        }
    }

    /// A key that replicas share, so that a form which one of them made can be sent to another. Default: a random one.
    #[must_use]
    pub fn csrf_key(mut self, key: CsrfKey) -> Self {
        self.csrf_key = Some(key);
        self
    }

    /// The routes, for `Router::nest`.
    ///
    /// # Panics
    ///
    /// When no key is given and the system has no random bytes.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let csrf_key = self.csrf_key.or_else(CsrfKey::random);
        let csrf_key = csrf_key.expect("the system gives random bytes");
        let app = Arc::new(SettingsService::new(self.telemetry, self.backend, csrf_key));
        Router::new()
            .route("/", get(show::<H>).put(save::<H>))
            .route("/test", post(test::<H>))
            .route("/status", get(status::<H>))
            .route("/page", get(show_page::<H>).post(save_page::<H>))
            .route("/page-test", post(test_page::<H>))
            .route("/page.css", get(async || file("text/css", page::STYLE)))
            .route(
                "/page.js",
                get(async || file("text/javascript", page::SCRIPT)),
            )
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(from_fn_with_state(app.clone(), admit::<H>))
            .with_state(app)
    }
}

impl<H> fmt::Debug for SettingsPage<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsPage").finish_non_exhaustive()
    }
}

/// Before anything of a request is looked at: who sent it, and from where.
async fn admit<H: SettingsBackend>(
    State(app): Shared<H>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut response = match app.backend.authorize(&parts).await {
        Err(AccessError::Unauthenticated) => {
            refusal(StatusCode::UNAUTHORIZED, "log in first").into_response()
        }
        Err(AccessError::Forbidden) => refusal(
            StatusCode::FORBIDDEN,
            "only an administrator of the organisation may see and change these settings",
        )
        .into_response(),
        Ok(_) if !parts.method.is_safe() && csrf::is_from_elsewhere(&parts.headers) => {
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

impl<H: SettingsBackend> SettingsService<H> {
    fn page(&self, actor: &Actor, form: &Form, outcome: &Outcome<'_>) -> Response {
        let token = self.csrf_key.token(&actor.to_string());
        let status = self.telemetry.status();
        let html = page::render(&token, form, status.syslog.as_ref(), outcome);
        let html = (
            [(CONTENT_TYPE, "text/html; charset=utf-8")],
            html.into_string(),
        );
        let code = match outcome {
            Outcome::Failed { status, .. } => *status,
            _ => StatusCode::OK,
        };
        (code, html).into_response()
    }

    fn failed_page(&self, actor: &Actor, form: &Form, failed: &Failed) -> Response {
        let outcome = Outcome::Failed {
            status: failed.status(),
            message: failed.message(),
            wrong: match failed {
                Failed::Invalid(wrong) => wrong,
                _ => &[],
            },
        };
        self.page(actor, form, &outcome)
    }
}

async fn show<H: SettingsBackend>(
    State(app): Shared<H>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let mut body = app.status();
    body["settings"] = Form::in_force(&app.telemetry).to_json();
    body[TOKEN_FIELD] = app.csrf_key.token(&admin(&request)?.to_string()).into();
    Ok(Json(body))
}

async fn status<H: SettingsBackend>(State(app): Shared<H>) -> Json<Value> {
    Json(app.status())
}

async fn save<H: SettingsBackend>(State(app): Shared<H>, entered: JsonInput) -> Response {
    let JsonInput { actor, form } = entered;
    let Some(form) = form else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "send the settings as a JSON object",
        )
        .into_response();
    };
    if let Err(failed) = app.clone().save(actor, form).await {
        return failed.into_response();
    }
    let mut body = app.status();
    body["settings"] = Form::in_force(&app.telemetry).to_json();
    Json(body).into_response()
}

/// Without settings, those in force are tested.
async fn test<H: SettingsBackend>(State(app): Shared<H>, entered: JsonInput) -> Response {
    let JsonInput { actor, form } = entered;
    let form = form.unwrap_or_else(|| Form::in_force(&app.telemetry));
    match app.test(actor, form).await {
        Ok(probe) => Json(probe).into_response(),
        Err(failed) => failed.into_response(),
    }
}

async fn show_page<H: SettingsBackend>(
    State(app): Shared<H>,
    request: Request,
) -> Result<Response, Refusal> {
    let form = Form::in_force(&app.telemetry);
    Ok(app.page(&admin(&request)?, &form, &Outcome::None))
}

async fn save_page<H: SettingsBackend>(State(app): Shared<H>, entered: FormInput) -> Response {
    let FormInput { actor, form } = entered;
    match app.clone().save(actor.clone(), form.clone()).await {
        Ok(()) => {
            let form = Form::in_force(&app.telemetry);
            app.page(&actor, &form, &Outcome::Saved)
        }
        Err(failed) => app.failed_page(&actor, &form, &failed),
    }
}

/// The form stays as it was entered, so that what a Test says can be mended before it is saved.
async fn test_page<H: SettingsBackend>(State(app): Shared<H>, entered: FormInput) -> Response {
    let FormInput { actor, form } = entered;
    match app.clone().test(actor.clone(), form.clone()).await {
        Ok(probe) => app.page(&actor, &form, &Outcome::Tested(&probe)),
        Err(failed) => app.failed_page(&actor, &form, &failed),
    }
}
