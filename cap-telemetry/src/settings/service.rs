//! What is done for an administrator: settings saved, a relay tested, and each kept by the host.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::response::{IntoResponse, Response};
use cap_names::Actor;
use cap_syslog::ProbeReport;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::backend::{Action, AuditRecord, SettingsBackend};
use super::csrf::CsrfKey;
use super::form::{Field, FieldError, Form};
use super::rate_limit::RateLimit;
use crate::telemetry::Telemetry;

pub(super) struct SettingsService<H> {
    pub(super) telemetry: Telemetry,
    pub(super) backend: H,
    pub(super) csrf_key: CsrfKey,
    tests: RateLimit,
    /// Saves come one after the other, so that what is kept and what is in force are the same.
    saving: tokio::sync::Mutex<()>,
}

/// Why something was not done.
pub(super) enum Failed {
    Invalid(Vec<FieldError>),
    TooSoon(Duration),
    NotKept,
    NotInForce(String),
}

impl Failed {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Failed::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Failed::TooSoon(_) => StatusCode::TOO_MANY_REQUESTS,
            Failed::NotKept | Failed::NotInForce(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Failed::Invalid(_) => "Some settings cannot be used.".to_owned(),
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
        if let Failed::Invalid(errors) = &self {
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

/// What was begun is done and recorded, also where the browser is gone before it has the answer.
async fn run_to_completion<T: Send + 'static>(
    action: impl Future<Output = Result<T, Failed>> + Send + 'static,
) -> Result<T, Failed> {
    let action = cap_tracing::current_span().scope(action);
    match tokio::spawn(action).await {
        Ok(done) => done,
        Err(_) => Err(Failed::NotInForce("try again".to_owned())),
    }
}

impl<H: SettingsBackend> SettingsService<H> {
    pub(super) fn new(telemetry: Telemetry, backend: H, csrf_key: CsrfKey) -> Self {
        SettingsService {
            telemetry,
            backend,
            csrf_key,
            tests: RateLimit::default(),
            saving: tokio::sync::Mutex::default(),
        }
    }

    pub(super) async fn save(self: Arc<Self>, actor: Actor, form: Form) -> Result<(), Failed> {
        run_to_completion(async move { self.saved(actor, form).await }).await
    }

    async fn saved(&self, actor: Actor, form: Form) -> Result<(), Failed> {
        let config = form.config(&self.telemetry).map_err(Failed::Invalid)?;
        let _one = self.saving.lock().await;
        self.persist(actor, Action::Saved(form.clone())).await?;
        let telemetry = self.telemetry.clone();
        // Switching off may wait for the relay.
        let done = tokio::task::spawn_blocking(move || form.bring_into_force(&telemetry, config));
        match done.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failed::NotInForce(error.to_string())),
            Err(_) => Err(Failed::NotInForce("try again".to_owned())),
        }
    }

    pub(super) async fn test(
        self: Arc<Self>,
        actor: Actor,
        form: Form,
    ) -> Result<ProbeReport, Failed> {
        run_to_completion(async move { self.tested(actor, &form).await }).await
    }

    async fn tested(&self, actor: Actor, form: &Form) -> Result<ProbeReport, Failed> {
        let config = form.config(&self.telemetry).map_err(Failed::Invalid)?;
        let Some(config) = config else {
            let message = "write the relay's name or address".to_owned();
            let field = Field::Host;
            return Err(Failed::Invalid(vec![FieldError { field, message }]));
        };
        let _turn = self.tests.begin(Instant::now()).map_err(Failed::TooSoon)?;
        let probe = cap_syslog::probe(config, self.telemetry.guard()).await;
        let probe = probe.map_err(|error| Failed::NotInForce(error.to_string()))?;
        let action = Action::Tested {
            relay: probe.relay.clone(),
            verdict: probe.verdict,
        };
        self.persist(actor, action).await?;
        Ok(probe)
    }

    async fn persist(&self, actor: Actor, action: Action) -> Result<(), Failed> {
        let record = AuditRecord { actor, action };
        self.backend.persist(&record).await.map_err(|error| {
            tracing::error!(target: "cap_telemetry", %error, action = record.event_type(), "it could not be recorded");
            Failed::NotKept
        })
    }

    pub(super) fn status(&self) -> Value {
        let status = self.telemetry.status();
        json!({ "status": status.syslog, "warning": status.warning })
    }
}
