//! The HTTP surface.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use axum::routing::{get, post, put};
use cap_telemetry::metrics::MetricsLayer;
use cap_telemetry::settings::SettingsPage;
use cap_telemetry::trace::TraceLayer;

mod audit;
mod auth;
pub(crate) mod caller;
mod certificates;
mod health;
mod input;
mod jobs;
mod kek;
mod license;
mod lifecycle;
mod members;
mod problem;
mod webhooks;

use crate::app::App;
use crate::settings::SettingsHost;
use problem::Problem;

const BODY_LIMIT: usize = 64 * 1024;

/// Every route, measured and traced. The layers come after the routes, so that they know which one matched; the trace is the
/// outer one, so that everything inside happens under the request's span.
pub(crate) fn router(app: Arc<App>) -> Router {
    let exposed = app.telemetry.metrics_service();
    let router = Router::new()
        .route(
            "/projects/{projectId}/certificates",
            post(certificates::request).get(certificates::list),
        )
        .route(
            "/projects/{projectId}/certificates/{id}",
            get(certificates::show),
        )
        .route(
            "/projects/{projectId}/certificates/{id}/renew",
            post(lifecycle::renew),
        )
        .route(
            "/projects/{projectId}/certificates/{id}/revoke",
            post(lifecycle::revoke),
        )
        .route(
            "/projects/{projectId}/members/{userId}/role",
            put(members::set_role),
        )
        .route("/auth/login", post(auth::login))
        .route("/kek/rotations", post(kek::rotate))
        .route("/jobs/dead", get(jobs::dead))
        .route("/jobs/dead/{jobId}/requeue", post(jobs::requeue))
        .route("/license", get(license::show).put(license::install))
        .route("/webhooks/{name}", post(webhooks::receive))
        .route("/audit", get(audit::list))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/status", get(health::status));
    // Not where metrics have a listener of their own.
    let router = match exposed {
        Some(metrics) => router.route_service("/metrics", metrics),
        None => router,
    };
    let page = SettingsPage::new(app.telemetry.clone(), SettingsHost(app.clone()))
        .csrf_key(app.csrf_key.clone());
    let router = router
        .nest("/settings/syslog", page.router())
        .fallback(async || Problem::not_found("there is nothing here"))
        .method_not_allowed_fallback(async || Problem::method_not_allowed());
    // The layers in one: each that is added by itself costs every request an allocation for the service and one for its future.
    let (limit, traced) = (
        DefaultBodyLimit::max(BODY_LIMIT),
        TraceLayer::new(app.telemetry.tracer().clone())
            .with_peer(|request| Some(request.get::<ConnectInfo<SocketAddr>>()?.0.ip())),
    );
    let router = if app.telemetry.metrics_enabled() {
        let measured = MetricsLayer::new(app.telemetry.metrics().clone());
        router.layer((traced, measured, limit))
    } else {
        router.layer((traced, limit))
    };
    router.with_state(app)
}
