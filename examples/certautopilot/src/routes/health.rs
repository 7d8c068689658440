//! `/healthz`, `/readyz` and `/status`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cap_telemetry::Status;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::app::App;
use crate::store;

/// The process answers.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// The database answers, and the service does not stop. Neither the relay nor the collector
/// matters here.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let unready = |detail: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    if *app.stop.borrow() {
        return Err(unready("the service is stopping"));
    }
    let answer = app.store.read("kek_rotations", store::kek::current).await;
    answer.map_err(|_| unready("the database does not answer"))?;
    Ok(Json(json!({ "status": "ready" })))
}

/// The pipelines as they are now.
pub(super) async fn status(State(app): State<Arc<App>>) -> Json<Status> {
    Json(app.telemetry.status())
}
