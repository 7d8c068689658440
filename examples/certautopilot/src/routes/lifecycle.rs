//! `…/certificates/:id/renew` and `…/revoke`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cap_telemetry::names::{ActorType, Severity};
use serde_json::{Value, json};

use super::caller::Caller;
use super::certificates::{find, view};
use super::input::InProject;
use super::problem::Problem;
use crate::app::App;
use crate::store::audit::{Entry, EventType};
use crate::store::certificates::{self, CertificateState};
use crate::store::jobs;
use crate::task::{JobKind, Task, Trigger};

/// `POST …/renew`: 202, and a job renews it.
pub(super) async fn renew(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    at: InProject,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let certificate = find(&app, at).await?;
    if certificate.issued.is_none() || certificate.state == CertificateState::Revoked {
        let state = certificate.state;
        return Err(Problem::conflict(format!(
            "a certificate that is {state} is not renewed"
        )));
    }
    let trigger = match actor.kind() {
        ActorType::ApiKey => Trigger::Api,
        ActorType::User => Trigger::Manual,
        ActorType::System => Trigger::Scheduled,
    };
    let renew = Task::Renew {
        certificate: certificate.id.clone(),
        trigger,
    };
    let job = app.queue.prepare(renew, Some(&certificate.project), &actor);
    let mut body = view(&certificate);
    body["job"] = json!(job.id);
    app.store
        .write("insert", "jobs", move |work| {
            if jobs::pending(work, &certificate.id, JobKind::Renew)? {
                return Err(Problem::conflict("a renewal is under way"));
            }
            jobs::insert(work, &job)?;
            Ok(())
        })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// `POST …/revoke`: asks the issuer at once, and answers when it has.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    at: InProject,
) -> Result<Json<Value>, Problem> {
    let mut certificate = find(&app, at).await?;
    let Some(issued) = &certificate.issued else {
        return Err(Problem::conflict(
            "a certificate that is pending is not revoked",
        ));
    };
    if certificate.state == CertificateState::Revoked {
        return Err(Problem::conflict("the certificate is revoked already"));
    }
    app.acme.revoke(&issued.pem).await?;

    certificate.state = CertificateState::Revoked;
    let body = view(&certificate);
    let summary = format!("Certificate revoked for {}", certificate.domain);
    let entry = Entry::new(EventType::CertRevoked, actor, summary)
        .certificate(&certificate.id)
        .project(&certificate.project)
        .severity(Severity::Warn)
        .param("domain", &certificate.domain)
        .param("fingerprint", &issued.fingerprint);
    app.store
        .write("update", "certificates", move |work| {
            certificates::set_state(work, &certificate.id, CertificateState::Revoked)?;
            work.record(entry)
        })
        .await?;
    Ok(Json(body))
}
