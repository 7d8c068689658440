//! What operators and administrators do: roles, the license, KEK rotations, dead letters.

use axum::Json;
use axum::http::StatusCode;
use cap_telemetry::names::{Severity, closed_enum};
use cap_telemetry::trace;
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Body, Call};
use super::problem::Problem;
use crate::app::App;
use crate::audit::{Entry, EventType};
use crate::config::License;
use crate::store::{Inventory, Work, jobs, settings};
use crate::sync::lock;

closed_enum! {
    /// What a member may do in a project. The stand-in records roles and enforces none.
    enum Role: "role" {
        Admin = "admin",
        Operator = "operator",
        Viewer = "viewer",
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleChange {
    role: String,
}

pub(super) async fn set_role(
    call: Call,
    Body(change): Body<RoleChange>,
) -> Result<Json<Value>, Problem> {
    let role: Role = change.role.parse().map_err(Problem::bad_request)?;
    let body = json!({ "project": call.project, "user": call.id, "role": role.as_str() });
    let set = move |work: &mut Work<'_>| {
        let name = format!("role:{}:{}", call.project, call.id);
        let before: Option<String> = settings::get(work, &name)?;
        settings::put(work, &name, &role.as_str())?;
        let summary = format!("{} is now {role} of {}", call.id, call.project);
        let entry = Entry::new(EventType::RoleChanged, call.actor, summary)
            .resource("user", &call.id)
            .project(&*call.project)
            .severity(Severity::Warn)
            .param("role", role)
            .param("role_before", before.as_deref().unwrap_or("none"));
        work.record(entry)
    };
    call.app.store.write("update", "settings", set).await?;
    Ok(Json(body))
}

pub(super) async fn license(call: Call) -> Json<Value> {
    view(&call.app, *lock(&call.app.license))
}

/// `PUT /license`: holds here at once, and on the other replicas when they look next.
pub(super) async fn install(
    call: Call,
    Body(license): Body<License>,
) -> Result<Json<Value>, Problem> {
    let end = license.expires_at.map_or("never".to_owned(), |end| end.to_rfc3339());
    let summary = format!("License installed that expires {end}");
    let mut entry = Entry::new(EventType::LicenseInstalled, call.actor, summary)
        .severity(Severity::Warn)
        .param("expires_at", end)
        .param("cert_limit", license.cert_limit);
    entry.resource = Some("license".to_owned());
    let install = move |work: &mut Work<'_>| {
        settings::put(work, settings::LICENSE, &license)?;
        work.record(entry)
    };
    call.app.store.write("update", "settings", install).await?;
    *lock(&call.app.license) = license;
    Ok(view(&call.app, license))
}

fn view(app: &App, license: License) -> Json<Value> {
    let usage = app.store.inventory(Inventory::licensed);
    Json(json!({
        "valid": license.allows(usage, Utc::now()),
        "expires_at": license.expires_at,
        "cert_usage": usage,
        "cert_limit": license.cert_limit,
    }))
}

/// `POST /kek/rotations`: 202, and the stored keys are re-wrapped once every replica has loaded
/// the new version; 409 during a rotation; 503 when this replica cannot load the version.
pub(super) async fn rotate(call: Call) -> Result<(StatusCode, Json<Value>), Problem> {
    let rotation = call.app.rotations().start(call.actor).await?;
    let body = json!({ "rotation": rotation.id, "target_version": rotation.target });
    call.app.finish(rotation, trace::current_span().carrier());
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// `GET /jobs/dead`: the jobs that were given up, oldest first, with why.
pub(super) async fn dead_letters(call: Call) -> Result<Json<Value>, Problem> {
    let dead = call.app.store.read("jobs", jobs::dead_letters).await?;
    let dead = dead.iter().map(|job| {
        json!({
            "id": job.id,
            "type": job.kind.as_str(),
            "attempts": job.attempt,
            "certificate": job.certificate,
            "project": job.project,
            "last_error": job.last_error,
        })
    });
    Ok(Json(json!({ "jobs": dead.collect::<Vec<_>>() })))
}

/// `POST /jobs/dead/:jobId/requeue`: 202, and the job is attempted as if it were new; 404 when no
/// such job was given up.
pub(super) async fn requeue(call: Call) -> Result<StatusCode, Problem> {
    let requeue = move |work: &mut Work<'_>| {
        let unknown = || Problem::not_found("no such job was given up");
        let job = jobs::revive(work, &call.id)?.ok_or_else(unknown)?;
        let kind = job.kind;
        let entry = Entry::new(EventType::JobRequeued, call.actor, format!("Job {kind} requeued"))
            .resource("job", &job.id)
            .project(job.project.as_deref())
            .severity(Severity::Warn)
            .param("job_type", kind);
        Ok::<_, Problem>(work.record(entry)?)
    };
    call.app.store.write("update", "jobs", requeue).await?;
    Ok(StatusCode::ACCEPTED)
}
