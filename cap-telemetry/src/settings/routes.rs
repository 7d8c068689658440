//! Requests: who may make them, what they carry, and what they are answered.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form as Posted, Json, Router};
use cap_egress::Guard;
use cap_names::Actor;
use cap_syslog::Probe;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
};
use http::header::{HeaderName, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::act::{Act, Deed, Denied, Host};
use super::csrf::{self, CsrfKey};
use super::form::{Form, Wrong};
use super::limit::Limit;
use super::page::{self, Outcome};
use crate::telemetry::Telemetry;

/// A certificate chain of a private CA has some kilobytes.
const BODY_LIMIT: usize = 64 * 1024;
const TOKEN_HEADER: &str = "x-csrf-token";
const TOKEN_FIELD: &str = "csrf_token";

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
    host: H,
    csrf_key: Option<CsrfKey>,
}

struct App<H> {
    telemetry: Telemetry,
    host: H,
    csrf_key: CsrfKey,
    tests: Limit,
    /// Saves come one after the other, so that what is kept and what is in force are the same.
    saving: tokio::sync::Mutex<()>,
}

type Shared<H> = State<Arc<App<H>>>;

/// The administrator whose request it is.
#[derive(Clone)]
struct Admin(Actor);

impl<H: Host> SettingsPage<H> {
    /// The settings of these pipes, in this application.
    pub fn new(telemetry: Telemetry, host: H) -> Self {
        SettingsPage {
            telemetry,
            host,
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
        let app = Arc::new(App {
            telemetry: self.telemetry,
            host: self.host,
            csrf_key: self
                .csrf_key
                .or_else(CsrfKey::random)
                .expect("the system gives random bytes"),
            tests: Limit::default(),
            saving: tokio::sync::Mutex::default(),
        });
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
async fn admit<H: Host>(State(app): Shared<H>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut response = match app.host.admin(&parts).await {
        Err(Denied::Unknown) => refusal(StatusCode::UNAUTHORIZED, "log in first").into_response(),
        Err(Denied::NotAdmin) => refusal(
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

/// A request that goes no further.
#[derive(Debug)]
struct Refusal(StatusCode, String);

fn refusal(status: StatusCode, message: impl Into<String>) -> Refusal {
    Refusal(status, message.into())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refusal(status, message) = self;
        (status, Json(json!({ "error": message }))).into_response()
    }
}

fn file(content_type: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, content_type)], text).into_response()
}

/// An administrator and the settings that came with the token. There is no other way to a body.
struct Entered {
    actor: Actor,
    form: Form,
}

/// The same as JSON, with the token in a header. No body at all is no settings.
struct EnteredJson {
    actor: Actor,
    form: Option<Form>,
}

fn token_is_missing() -> Refusal {
    refusal(
        StatusCode::FORBIDDEN,
        "the CSRF token is missing or too old: reload the page, or take a new one from GET",
    )
}

fn admin(request: &Request) -> Result<Actor, Refusal> {
    let admin = request.extensions().get::<Admin>();
    let admin = admin.ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, "log in first"))?;
    Ok(admin.0.clone())
}

impl<H: Host> FromRequest<Arc<App<H>>> for EnteredJson {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App<H>>) -> Result<Self, Refusal> {
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
        Ok(EnteredJson { actor, form })
    }
}

impl<H: Host> FromRequest<Arc<App<H>>> for Entered {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App<H>>) -> Result<Self, Refusal> {
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
        Ok(Entered { actor, form })
    }
}

/// Why something was not done.
enum Failed {
    Wrong(Vec<Wrong>),
    TooSoon(Duration),
    NotKept,
    NotInForce(String),
}

impl Failed {
    fn status(&self) -> StatusCode {
        match self {
            Failed::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Failed::TooSoon(_) => StatusCode::TOO_MANY_REQUESTS,
            Failed::NotKept | Failed::NotInForce(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn message(&self) -> String {
        match self {
            Failed::Wrong(_) => "Some settings cannot be used.".to_owned(),
            Failed::TooSoon(wait) => format!(
                "A test was run a moment ago. Try again in {} s.",
                wait.as_secs() + 1
            ),
            Failed::NotKept => {
                "This could not be recorded, and nothing was changed. Try again.".to_owned()
            }
            Failed::NotInForce(why) => {
                format!("The settings were kept, but are not in force: {why}")
            }
        }
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.message() });
        if let Failed::Wrong(errors) = &self {
            body["errors"] = json!(errors);
        }
        let mut response = (self.status(), Json(body)).into_response();
        if let Failed::TooSoon(wait) = self {
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

impl<H: Host> App<H> {
    async fn save(&self, actor: Actor, form: &Form) -> Result<(), Failed> {
        let config = form.config(&self.telemetry).map_err(Failed::Wrong)?;
        let _one = self.saving.lock().await;
        self.keep(actor, Deed::Saved(form.clone())).await?;
        let (telemetry, form) = (self.telemetry.clone(), form.clone());
        // Switching off may wait for the relay.
        let done = tokio::task::spawn_blocking(move || form.bring_into_force(&telemetry, config));
        match done.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failed::NotInForce(error.to_string())),
            Err(_) => Err(Failed::NotInForce("try again".to_owned())),
        }
    }

    async fn test(&self, actor: Actor, form: &Form) -> Result<Probe, Failed> {
        let config = form.config(&self.telemetry).map_err(Failed::Wrong)?;
        let Some(config) = config else {
            let message = "write the relay's name or address".to_owned();
            let field = super::form::Field::Host;
            return Err(Failed::Wrong(vec![Wrong { field, message }]));
        };
        let _turn = self.tests.begin(Instant::now()).map_err(Failed::TooSoon)?;
        let guard: &Guard = self.telemetry.guard();
        let probe = cap_syslog::probe(config, guard).await;
        let probe = probe.map_err(|error| Failed::NotInForce(error.to_string()))?;
        let deed = Deed::Tested {
            relay: probe.relay.clone(),
            verdict: probe.verdict,
        };
        self.keep(actor, deed).await?;
        Ok(probe)
    }

    async fn keep(&self, actor: Actor, deed: Deed) -> Result<(), Failed> {
        let act = Act { actor, deed };
        self.host.keep(&act).await.map_err(|error| {
            tracing::error!(target: "cap_telemetry", %error, act = act.event_type(), "it could not be recorded");
            Failed::NotKept
        })
    }

    fn status(&self) -> Value {
        let status = self.telemetry.status();
        json!({ "status": status.syslog, "warning": status.warning })
    }

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
                Failed::Wrong(wrong) => wrong,
                _ => &[],
            },
        };
        self.page(actor, form, &outcome)
    }
}

async fn show<H: Host>(State(app): Shared<H>, request: Request) -> Result<Json<Value>, Refusal> {
    let mut body = app.status();
    body["settings"] = Form::in_force(&app.telemetry).to_json();
    body[TOKEN_FIELD] = app.csrf_key.token(&admin(&request)?.to_string()).into();
    Ok(Json(body))
}

async fn status<H: Host>(State(app): Shared<H>) -> Json<Value> {
    Json(app.status())
}

async fn save<H: Host>(State(app): Shared<H>, entered: EnteredJson) -> Response {
    let EnteredJson { actor, form } = entered;
    let Some(form) = form else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "send the settings as a JSON object",
        )
        .into_response();
    };
    if let Err(failed) = app.save(actor, &form).await {
        return failed.into_response();
    }
    let mut body = app.status();
    body["settings"] = Form::in_force(&app.telemetry).to_json();
    Json(body).into_response()
}

/// Without settings, those in force are tested.
async fn test<H: Host>(State(app): Shared<H>, entered: EnteredJson) -> Response {
    let EnteredJson { actor, form } = entered;
    let form = form.unwrap_or_else(|| Form::in_force(&app.telemetry));
    match app.test(actor, &form).await {
        Ok(probe) => Json(probe).into_response(),
        Err(failed) => failed.into_response(),
    }
}

async fn show_page<H: Host>(State(app): Shared<H>, request: Request) -> Result<Response, Refusal> {
    let form = Form::in_force(&app.telemetry);
    Ok(app.page(&admin(&request)?, &form, &Outcome::None))
}

async fn save_page<H: Host>(State(app): Shared<H>, entered: Entered) -> Response {
    let Entered { actor, form } = entered;
    match app.save(actor.clone(), &form).await {
        Ok(()) => {
            let form = Form::in_force(&app.telemetry);
            app.page(&actor, &form, &Outcome::Saved)
        }
        Err(failed) => app.failed_page(&actor, &form, &failed),
    }
}

/// The form stays as it was entered, so that what a Test says can be mended before it is saved.
async fn test_page<H: Host>(State(app): Shared<H>, entered: Entered) -> Response {
    let Entered { actor, form } = entered;
    match app.test(actor.clone(), &form).await {
        Ok(probe) => app.page(&actor, &form, &Outcome::Tested(&probe)),
        Err(failed) => app.failed_page(&actor, &form, &failed),
    }
}
