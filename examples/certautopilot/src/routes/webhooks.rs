//! `POST /webhooks/:name`: something outside happened.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cap_telemetry::names::Actor;
use cap_telemetry::trace;

use super::problem::Problem;
use crate::app::App;
use crate::names::Slug;
use crate::store::audit::{Entry, EventType};
use crate::store::{self, jobs};
use crate::task::Task;

/// 202, and an audit record with the size of what came. The webhook named `discover` also starts a discovery, in the
/// trace of whoever called it.
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let name = name
        .parse::<Slug>()
        .map_err(Problem::bad_request)?
        .into_string();
    let actor = Actor::system(format!("webhook/{name}"));
    trace::current_span().set_org(&app.org_id).set_actor(&actor);
    let job = (name == "discover").then(|| app.queue.prepare(Task::Discover, None, &actor));
    let entry = Entry::new(
        EventType::WebhookReceived,
        actor,
        format!("Webhook {name} received"),
    )
    .resource(format!("webhook:{name}"))
    .param("bytes", body.len());
    app.store
        .write("insert", "audit", move |work| {
            work.record(entry)?;
            if let Some(job) = &job {
                jobs::insert(work, job)?;
            }
            Ok::<_, store::Error>(())
        })
        .await?;
    Ok(StatusCode::ACCEPTED)
}
