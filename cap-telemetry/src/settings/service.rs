//! The actions of an administrator, each persisted: settings are saved, a relay is tested.

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
use super::field::{Field, FieldError};
use super::form::Form;
use super::rate_limit::RateLimit;
use crate::telemetry::Telemetry;

pub(super) struct SettingsService<B> {
    pub(super) telemetry: Telemetry,
    pub(super) backend: B,
    pub(super) csrf_key: CsrfKey,
    tests: RateLimit,
    /// Saves run one after the other, so that the persisted settings are those in force.
    saving: tokio::sync::Mutex<()>,
}

/// Why an action was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("Some settings are not valid.")]
    Invalid(Vec<FieldError>),
    #[error("A test was run a moment ago. Try again in {} s.", wait_seconds(.0))]
    RateLimited(Duration),
    #[error("The action could not be recorded, and nothing was changed. Try again.")]
    NotPersisted,
    #[error("The settings were recorded, but are not in force: {0}")]
    NotApplied(String),
    #[error("The test could not be run: {0}")]
    NotTested(String),
}

fn wait_seconds(wait: &Duration) -> u64 {
    wait.as_secs() + 1
}

impl Failure {
    fn interrupted<E>(_: E) -> Self {
        Self::NotApplied("try again".to_owned())
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotPersisted | Self::NotApplied(_) | Self::NotTested(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.to_string() });
        if let Self::Invalid(errors) = &self {
            body["errors"] = json!(errors);
        }
        let mut response = (self.status(), Json(body)).into_response();
        if let Self::RateLimited(wait) = self {
            let seconds = HeaderValue::from(wait_seconds(&wait));
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

/// Runs an action on a task of its own, so that it is done and persisted even when the browser goes
/// away.
async fn run_to_completion<T: Send + 'static>(
    action: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let action = cap_tracing::current_span().scope(action);
    tokio::spawn(action).await.unwrap_or_else(|panic| Err(Failure::interrupted(panic)))
}

impl<B: SettingsBackend> SettingsService<B> {
    pub(super) fn new(telemetry: Telemetry, backend: B, csrf_key: CsrfKey) -> Self {
        Self {
            telemetry,
            backend,
            csrf_key,
            tests: RateLimit::default(),
            saving: tokio::sync::Mutex::default(),
        }
    }

    pub(super) async fn save(self: Arc<Self>, actor: Actor, form: Form) -> Result<(), Failure> {
        run_to_completion(async move {
            let config = form.config(&self.telemetry).map_err(Failure::Invalid)?;
            let _saving = self.saving.lock().await;
            self.persist(actor, Action::Saved(form.clone())).await?;
            let telemetry = self.telemetry.clone();
            // Switching off blocks while the relay takes what is queued.
            tokio::task::spawn_blocking(move || form.apply(&telemetry, config))
                .await
                .map_err(Failure::interrupted)?
                .map_err(|error| Failure::NotApplied(error.to_string()))
        })
        .await
    }

    pub(super) async fn test(
        self: Arc<Self>,
        actor: Actor,
        form: Form,
    ) -> Result<ProbeReport, Failure> {
        run_to_completion(async move {
            let config = form.config(&self.telemetry).map_err(Failure::Invalid)?;
            let Some(config) = config else {
                let error = FieldError::new(Field::Host, "write the relay's name or address");
                return Err(Failure::Invalid(vec![error]));
            };
            let _permit = self.tests.acquire(Instant::now()).map_err(Failure::RateLimited)?;
            let probe = cap_syslog::probe(config, self.telemetry.guard())
                .await
                .map_err(|error| Failure::NotTested(error.to_string()))?;
            let action = Action::Tested { relay: probe.relay.clone(), verdict: probe.verdict };
            self.persist(actor, action).await?;
            Ok(probe)
        })
        .await
    }

    async fn persist(&self, actor: Actor, action: Action) -> Result<(), Failure> {
        let record = AuditRecord { actor, action };
        self.backend.persist(&record).await.map_err(|error| {
            tracing::error!(target: "cap_telemetry", %error, action = record.event_type(), "the action could not be persisted");
            Failure::NotPersisted
        })
    }

    pub(super) fn status(&self) -> Value {
        let status = self.telemetry.status();
        json!({ "status": status.syslog, "warning": status.warning })
    }

    pub(super) fn status_and_settings(&self) -> Value {
        let mut body = self.status();
        body["settings"] = Form::in_force(&self.telemetry).to_json();
        body
    }
}
