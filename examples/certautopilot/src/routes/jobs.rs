//! `/jobs/dead`: the jobs that were given up, and a second life for one of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cap_telemetry::names::Severity;
use serde_json::{Value, json};

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::store::audit::{Entry, EventType};
use crate::store::jobs;

/// `GET`: those that were given up, oldest first, with why.
pub(super) async fn dead(
    State(app): State<Arc<App>>,
    Caller(_): Caller,
) -> Result<Json<Value>, Problem> {
    let dead = app.store.read("jobs", jobs::dead_letters).await?;
    let dead = dead.iter().map(|jobs::Dead { job, last_error }| {
        json!({
            "id": job.id,
            "type": job.task.kind().as_str(),
            "attempts": job.attempt,
            "certificate": job.task.certificate(),
            "project": job.project,
            "last_error": last_error,
        })
    });
    Ok(Json(json!({ "jobs": dead.collect::<Vec<_>>() })))
}

/// `POST …/:jobId/requeue`: 202, and it is attempted as if it were new; 404 when no such job was given up.
pub(super) async fn requeue(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.store
        .write("update", "jobs", move |work| {
            let Some(job) = jobs::revive(work, &id)? else {
                return Err(Problem::not_found("no such job was given up"));
            };
            let kind = job.task.kind();
            let entry = Entry::new(
                EventType::JobRequeued,
                actor,
                format!("Job {kind} queued anew"),
            )
            .resource(format!("job:{}", job.id))
            .severity(Severity::Warn)
            .param("job_type", kind);
            let entry = match &job.project {
                Some(project) => entry.project(project),
                None => entry,
            };
            work.record(entry)?;
            Ok(StatusCode::ACCEPTED)
        })
        .await
}
