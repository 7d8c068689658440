//! What happened: webhooks that report something from outside, and the audit log.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use cap_telemetry::names::Actor;
use cap_telemetry::trace;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::input::Call;
use super::problem::Problem;
use crate::app::App;
use crate::audit::{Entry, EventType};
use crate::job::{Job, JobKind};
use crate::names::Slug;
use crate::store::{Work, audit, jobs};

/// Entries of the audit log in one answer.
const PAGE: u32 = 1000;

/// `POST /webhooks/:name`: 202, and an audit event with the size of the body. The webhook named
/// `discover` also starts a discovery, in the trace of its caller.
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    name: Result<Path<Slug>, PathRejection>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let Path(Slug(name)) = name?;
    let actor = Actor::system(format!("webhook/{name}"));
    trace::current_span().set_org(&app.config.org_id).set_actor(&actor);
    let discover = || app.enqueue(Job::new(JobKind::Discover, &actor));
    let job = (name == "discover").then(discover);
    let summary = format!("Webhook {name} received");
    let entry = Entry::new(EventType::WebhookReceived, actor, summary)
        .resource("webhook", &name)
        .param("bytes", body.len());
    let record = move |work: &mut Work<'_>| {
        work.record(entry)?;
        job.map_or(Ok(()), |job| jobs::insert(work, &job))
    };
    app.store.write("insert", "audit", record).await?;
    Ok(StatusCode::ACCEPTED)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default)]
    after: String,
    limit: Option<u32>,
}

/// `GET /audit?after=ID&limit=N`: the primary record, in the order of the commits; 400 when no
/// entry has the id `after`.
pub(super) async fn list(
    call: Call,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(Page { after, limit }) = page?;
    let limit = limit.unwrap_or(PAGE).min(PAGE);
    let id = after.clone();
    let list = move |db: &_| audit::list(db, Some(&*id).filter(|id| !id.is_empty()), limit);
    let entries = call.app.store.read("audit", list).await?;
    let unknown = || Problem::bad_request(format!("after: there is no audit event {after:?}"));
    let entries: Vec<_> = entries.ok_or_else(unknown)?.into_iter().map(view).collect();
    Ok(Json(json!({ "events": entries })))
}

fn view(entry: Entry) -> Value {
    let params = entry.params.into_iter().map(|(name, value)| (name, value.into()));
    json!({
        "id": entry.id,
        "time": entry.time,
        "event_type": entry.event_type.as_str(),
        "actor": entry.actor.to_string(),
        "resource": entry.resource,
        "project": entry.project,
        "severity": entry.severity.as_str(),
        "summary": entry.summary,
        "params": params.collect::<Map<_, _>>(),
    })
}
