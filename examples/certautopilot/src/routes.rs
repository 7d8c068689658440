//! The HTTP surface.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use cap_telemetry::Status;
use cap_telemetry::metrics::MetricsLayer;
use cap_telemetry::settings::SettingsPage;
use cap_telemetry::trace::TraceLayer;
use serde_json::{Value, json};

mod administration;
mod certificates;
mod events;
mod input;
mod problem;

use crate::app::App;
use crate::settings::Backend;
use crate::store;
use problem::Problem;

const BODY_LIMIT: usize = 64 * 1024;

/// Every route, measured and traced. The layers come after the routes, so that they know which
/// one matched; the trace layer is the outer one, so that everything is in the request's span.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut router = Router::new()
        .route(
            "/projects/{projectId}/certificates",
            post(certificates::request).get(certificates::list),
        )
        .route("/projects/{projectId}/certificates/{id}", get(certificates::show))
        .route("/projects/{projectId}/certificates/{id}/renew", post(certificates::renew))
        .route("/projects/{projectId}/certificates/{id}/revoke", post(certificates::revoke))
        .route("/projects/{projectId}/members/{userId}/role", put(administration::set_role))
        .route("/auth/login", post(input::login))
        .route("/kek/rotations", post(administration::rotate))
        .route("/jobs/dead", get(administration::dead_letters))
        .route("/jobs/dead/{jobId}/requeue", post(administration::requeue))
        .route("/license", get(administration::license).put(administration::install))
        .route("/webhooks/{name}", post(events::receive))
        .route("/audit", get(events::list))
        .route("/healthz", get(async || Json(json!({ "status": "alive" }))))
        .route("/readyz", get(ready))
        .route("/status", get(status));
    // None where metrics have a listener of their own.
    if let Some(metrics) = app.telemetry.metrics_service() {
        router = router.route_service("/metrics", metrics);
    }
    let page = SettingsPage::new(app.telemetry.clone(), Backend(app.clone()))
        .csrf_key(app.csrf_key.clone());
    let router = router
        .nest("/settings/syslog", page.router())
        .fallback(async || Problem::not_found("there is nothing here"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this resource has other methods")
        });
    let limit = DefaultBodyLimit::max(BODY_LIMIT);
    let traced = TraceLayer::new(app.telemetry.tracer().clone())
        .with_peer(|request| Some(request.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
    // One call: each further layer costs every request two allocations.
    let router = if app.telemetry.metrics_enabled() {
        let measured = MetricsLayer::new(app.telemetry.metrics().clone());
        router.layer((traced, measured, limit))
    } else {
        router.layer((traced, limit))
    };
    router.with_state(app)
}

/// The database answers, and the service does not stop. Neither the relay nor the collector
/// matters here.
async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let unready = |detail: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    if *app.stop.borrow() {
        return Err(unready("the service is stopping"));
    }
    let answer = app.store.read("kek_rotations", store::kek::current).await;
    answer.map_err(|_| unready("the database does not answer"))?;
    Ok(Json(json!({ "status": "ready" })))
}

async fn status(State(app): State<Arc<App>>) -> Json<Status> {
    Json(app.telemetry.status())
}
