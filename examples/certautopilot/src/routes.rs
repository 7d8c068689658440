//! The HTTP surface.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use cap_telemetry::metrics::MetricsLayer;
use cap_telemetry::settings::SettingsPage;
use cap_telemetry::trace::TraceLayer;

mod administration;
mod auth;
mod certificates;
mod events;
mod health;
mod input;
mod problem;

use crate::app::App;
use crate::settings::Backend;
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
        .route("/auth/login", post(auth::login))
        .route("/kek/rotations", post(administration::rotate))
        .route("/jobs/dead", get(administration::dead_letters))
        .route("/jobs/dead/{jobId}/requeue", post(administration::requeue))
        .route("/license", get(administration::license).put(administration::install))
        .route("/webhooks/{name}", post(events::receive))
        .route("/audit", get(events::list))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/status", get(health::status));
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
