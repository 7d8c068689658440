//! `/projects/:projectId/certificates`: request one, list them, look at one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use cap_telemetry::trace;
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::input::{Body, InProject};
use super::problem::Problem;
use crate::app::App;
use crate::names::Domain;
use crate::store::audit::{Entry, EventType};
use crate::store::certificates::{self, Certificate, CertificateState};
use crate::store::{self, jobs};
use crate::task::Task;
use crate::{acme, ids};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    domain: Domain,
    issuer: Option<String>,
}

/// `POST`: 202, and a job issues it.
pub(super) async fn request(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    at: InProject,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    if let Some(other) = wanted.issuer.filter(|issuer| issuer != acme::PROVIDER) {
        let detail = format!("issuer {other:?} is not configured: use {}", acme::PROVIDER);
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let usage = app.store.inventory(store::Inventory::licensed);
    if !app.license.now().allows(usage + 1, Utc::now()) {
        let detail = format!("the license does not allow a certificate more than {usage}");
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }

    let certificate = Certificate {
        id: ids::new("crt"),
        project: at.project,
        domain: wanted.domain.into_string(),
        issuer_type: acme::PROVIDER.to_owned(),
        state: CertificateState::Pending,
        issued: None,
        last_error: None,
    };
    trace::current_span().set_certificate(&certificate.id);
    let issue = Task::Issue {
        certificate: certificate.id.clone(),
    };
    let job = app.queue.prepare(issue, Some(&certificate.project), &actor);
    let summary = format!("Certificate requested for {}", certificate.domain);
    let entry = Entry::new(EventType::CertRequested, actor, summary)
        .certificate(&certificate.id)
        .project(&certificate.project)
        .param("domain", &certificate.domain)
        .param("job_id", &job.id);

    let place = format!(
        "/projects/{}/certificates/{}",
        certificate.project, certificate.id
    );
    let mut body = view(&certificate);
    body["job"] = json!(job.id);
    app.store
        .write("insert", "certificates", move |work| {
            certificates::insert(work, &certificate)?;
            jobs::insert(work, &job)?;
            work.record(entry)
        })
        .await
        .map_err(Problem::from)?;
    Ok((StatusCode::ACCEPTED, [(LOCATION, place)], Json(body)).into_response())
}

/// `GET`: those of the project, oldest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(_): Caller,
    at: InProject,
) -> Result<Json<Value>, Problem> {
    let rows = app
        .store
        .read("certificates", move |db| {
            certificates::of_project(db, &at.project)
        })
        .await
        .map_err(Problem::from)?;
    let rows: Vec<_> = rows.iter().map(view).collect();
    Ok(Json(json!({ "certificates": rows })))
}

/// `GET …/:id`: with the certificate itself.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Caller(_): Caller,
    at: InProject,
) -> Result<Json<Value>, Problem> {
    let certificate = find(&app, at).await?;
    let mut body = view(&certificate);
    body["pem"] = json!(certificate.issued.map(|issued| issued.pem));
    Ok(Json(body))
}

/// The certificate of a path, which is also set on the request's span.
pub(super) async fn find(app: &App, at: InProject) -> Result<Certificate, Problem> {
    trace::current_span().set_certificate(&at.id);
    let row = app
        .store
        .read("certificates", move |db| {
            let row = certificates::find(db, &at.id)?;
            Ok::<_, store::Error>(row.filter(|row| row.project == at.project))
        })
        .await?;
    row.ok_or_else(|| Problem::not_found("this project has no such certificate"))
}

/// What everybody may see of a certificate.
pub(super) fn view(certificate: &Certificate) -> Value {
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
