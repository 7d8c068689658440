//! `POST /kek/rotations`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cap_telemetry::trace;
use serde_json::{Value, json};

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::kek::{self, StartError};

/// 202: once every replica has loaded the new version it is used, and the stored keys are re-wrapped; 409 while that goes on, 503
/// when this replica cannot load the version.
pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let rotation = app
        .rotations
        .start(actor)
        .await
        .map_err(|error| match error {
            StartError::Running(_) => Problem::conflict(error.to_string()),
            StartError::Key(error) => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
            StartError::Store(error) => error.into(),
        })?;
    let body = json!({ "rotation": rotation.id, "target_version": rotation.target });

    let (rotations, telemetry) = (app.rotations.clone(), app.telemetry.clone());
    let asked_by = trace::current_span().carrier();
    app.background
        .spawn(async move { kek::finish(&rotations, &telemetry, &rotation, &asked_by).await });
    Ok((StatusCode::ACCEPTED, Json(body)))
}
