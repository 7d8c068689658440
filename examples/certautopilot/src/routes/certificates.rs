//! `/projects/:projectId/certificates`: request, list, show, renew and revoke certificates.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{HeaderName, LOCATION};
use cap_telemetry::metrics::RenewalTrigger;
use cap_telemetry::names::{ActorType, Severity};
use cap_telemetry::trace;
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Body, Call};
use super::problem::Problem;
use crate::app::App;
use crate::audit::{Entry, EventType};
use crate::certificate::{Certificate, CertificateState};
use crate::job::{Job, JobKind};
use crate::names::Domain;
use crate::store::{self, certificates, jobs};
use crate::sync::lock;
use crate::{acme, ids};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    domain: Domain,
    issuer: Option<String>,
}

/// `POST`: 202, and a job issues it.
pub(super) async fn request(
    call: Call,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Value>), Problem> {
    if let Some(other) = wanted.issuer.filter(|issuer| issuer != acme::PROVIDER) {
        let detail = format!("issuer {other:?} is not configured: use {}", acme::PROVIDER);
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let usage = call.app.store.inventory(store::Inventory::licensed);
    if !lock(&call.app.license).allows(usage + 1, Utc::now()) {
        let detail = format!("the license does not allow more than {usage} certificates");
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let Domain(domain) = wanted.domain;
    let certificate =
        Certificate::pending(&ids::new("crt"), &call.project, &domain, acme::PROVIDER);
    trace::current_span().set_certificate(&certificate.id);
    let job = Job::new(JobKind::Issue, &call.actor).about(&certificate.id, &call.project);
    let job = call.app.enqueue(job);
    let summary = format!("Certificate requested for {domain}");
    let entry = Entry::new(EventType::CertRequested, call.actor, summary)
        .resource("cert", &certificate.id)
        .project(&*call.project)
        .param("domain", domain)
        .param("job_id", &job.id);
    let place = format!("/projects/{}/certificates/{}", call.project, certificate.id);
    let mut body = view(&certificate);
    body["job"] = json!(job.id);
    let insert = move |work: &mut store::Work<'_>| {
        certificates::insert(work, &certificate)?;
        jobs::insert(work, &job)?;
        work.record(entry)
    };
    call.app.store.write("insert", "certificates", insert).await?;
    Ok((StatusCode::ACCEPTED, [(LOCATION, place)], Json(body)))
}

/// `GET`: those of the project, oldest first.
pub(super) async fn list(call: Call) -> Result<Json<Value>, Problem> {
    let rows = move |db: &_| certificates::of_project(db, &call.project);
    let rows = call.app.store.read("certificates", rows).await?;
    Ok(Json(json!({ "certificates": rows.iter().map(view).collect::<Vec<_>>() })))
}

/// `GET …/:id`: with the certificate itself.
pub(super) async fn show(call: Call) -> Result<Json<Value>, Problem> {
    let certificate = find(&call.app, call.project, call.id).await?;
    let mut body = view(&certificate);
    body["pem"] = json!(certificate.issued.map(|issued| issued.pem));
    Ok(Json(body))
}

/// `POST …/:id/renew`: 202, and a job renews it.
pub(super) async fn renew(call: Call) -> Result<(StatusCode, Json<Value>), Problem> {
    let certificate = find(&call.app, call.project, call.id).await?;
    let state = certificate.state;
    if certificate.issued.is_none() || state == CertificateState::Revoked {
        let detail = format!("a certificate that is {state} cannot be renewed");
        return Err(Problem::conflict(detail));
    }
    let trigger = match call.actor.kind() {
        ActorType::ApiKey => RenewalTrigger::Api,
        ActorType::User => RenewalTrigger::Manual,
        ActorType::System => RenewalTrigger::Scheduled,
    };
    let job = Job::new(JobKind::Renew, &call.actor).about(&certificate.id, &certificate.project);
    let job = call.app.enqueue(job.detail(trigger));
    let mut body = view(&certificate);
    body["job"] = json!(job.id);
    let insert = move |work: &mut store::Work<'_>| {
        if jobs::pending(work, &certificate.id, JobKind::Renew)? {
            return Err(Problem::conflict("a renewal is under way"));
        }
        Ok(jobs::insert(work, &job)?)
    };
    call.app.store.write("insert", "jobs", insert).await?;
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// `POST …/:id/revoke`: asks the issuer at once, and answers when it has.
pub(super) async fn revoke(call: Call) -> Result<Json<Value>, Problem> {
    let mut certificate = find(&call.app, call.project, call.id).await?;
    let Some(issued) = &certificate.issued else {
        return Err(Problem::conflict("a certificate that is pending cannot be revoked"));
    };
    if certificate.state == CertificateState::Revoked {
        return Err(Problem::conflict("the certificate is revoked already"));
    }
    call.app.acme.revoke(&issued.pem).await?;
    certificate.state = CertificateState::Revoked;
    let summary = format!("Certificate revoked for {}", certificate.domain);
    let entry = Entry::new(EventType::CertRevoked, call.actor, summary)
        .resource("cert", &certificate.id)
        .project(&*certificate.project)
        .severity(Severity::Warn)
        .param("domain", &certificate.domain)
        .param("fingerprint", &issued.fingerprint);
    let body = view(&certificate);
    let update = move |work: &mut store::Work<'_>| {
        certificates::set_state(work, &certificate.id, CertificateState::Revoked)?;
        work.record(entry)
    };
    call.app.store.write("update", "certificates", update).await?;
    Ok(Json(body))
}

/// The certificate of a path, which is also set on the request's span.
async fn find(app: &App, project: String, id: String) -> Result<Certificate, Problem> {
    trace::current_span().set_certificate(&id);
    let find = move |db: &_| {
        let row = certificates::find(db, &id)?;
        Ok::<_, store::Error>(row.filter(|row| row.project == project))
    };
    let row = app.store.read("certificates", find).await?;
    row.ok_or_else(|| Problem::not_found("this project has no such certificate"))
}

/// What everybody may see of a certificate.
fn view(certificate: &Certificate) -> Value {
    let issued = certificate.issued.as_ref();
    let not_after = issued.map(|issued| issued.not_after);
    json!({
        "id": certificate.id,
        "project": certificate.project,
        "domain": certificate.domain,
        "issuer": certificate.issuer_type,
        "status": certificate.state.at(not_after, Utc::now()).as_str(),
        "not_after": not_after,
        "fingerprint": issued.map(|issued| &issued.fingerprint),
        "kek_version": issued.map(|issued| issued.key.kek_version),
        "last_error": certificate.last_error,
    })
}
