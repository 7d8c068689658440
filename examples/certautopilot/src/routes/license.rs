//! `/license`: the license that holds, and a new one in its place.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use cap_telemetry::names::Severity;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::input::Body;
use super::problem::Problem;
use crate::app::App;
use crate::license::License;
use crate::store::audit::{Entry, EventType};
use crate::store::{self, license};

/// A license as it is written. The stand-in takes it at its word: a product's would be signed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    expires_at: Option<DateTime<Utc>>,
    #[serde(default)]
    cert_limit: u64,
}

/// `GET`: what the license allows.
pub(super) async fn show(State(app): State<Arc<App>>, Caller(_): Caller) -> Json<Value> {
    Json(view(&app, app.license.now()))
}

/// `PUT`: holds here at once, and on the other replicas when they look next.
pub(super) async fn install(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Body(written): Body<Written>,
) -> Result<Json<Value>, Problem> {
    let installed = License::new(written.expires_at, written.cert_limit);
    let end = installed
        .expires_at
        .map_or("never".to_owned(), |end| end.to_rfc3339());
    let entry = Entry::new(
        EventType::LicenseInstalled,
        actor,
        format!("License installed that expires {end}"),
    )
    .resource("license")
    .severity(Severity::Warn)
    .param("expires_at", end)
    .param("cert_limit", written.cert_limit);
    app.store
        .write("update", "license", move |work| {
            license::install(work, installed)?;
            work.record(entry)?;
            Ok::<_, store::Error>(())
        })
        .await?;
    app.license.set(installed);
    Ok(Json(view(&app, installed)))
}

fn view(app: &App, license: License) -> Value {
    let usage = app.store.inventory(store::Inventory::licensed);
    json!({
        "valid": license.allows(usage, Utc::now()),
        "expires_at": license.expires_at,
        "cert_usage": usage,
        "cert_limit": license.cert_limit.unwrap_or(0),
    })
}
