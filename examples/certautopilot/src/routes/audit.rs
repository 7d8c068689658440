//! `GET /audit?after=ID&limit=N`: the primary record, in the order in which it was committed. An `after` that is not in it is a 400.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::input::Asked;
use super::problem::Problem;
use crate::app::App;
use crate::store::audit::{self, Entry};

const LIMIT: u32 = 1000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default)]
    after: String,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(_): Caller,
    Asked(page): Asked<Page>,
) -> Result<Json<Value>, Problem> {
    let limit = page.limit.unwrap_or(LIMIT).min(LIMIT);
    let after = page.after.clone();
    let entries = app
        .store
        .read("audit", move |db| {
            let after = (!after.is_empty()).then_some(&*after);
            audit::list(db, after, limit)
        })
        .await
        .map_err(Problem::from)?;
    let unknown = || format!("after: there is no audit event {:?}", page.after);
    let entries = entries.ok_or_else(|| Problem::bad_request(unknown()))?;
    let entries: Vec<_> = entries.into_iter().map(view).collect();
    Ok(Json(json!({ "events": entries })))
}

fn view(entry: Entry) -> Value {
    let params: Map<_, _> = entry
        .params
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    json!({
        "id": entry.id,
        "time": entry.time,
        "event_type": entry.event_type.as_str(),
        "actor": entry.actor.to_string(),
        "resource": entry.resource,
        "project": entry.project,
        "severity": entry.severity.as_str(),
        "summary": entry.summary,
        "params": params,
    })
}
