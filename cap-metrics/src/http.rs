//! The tower layer that measures requests, and the service that answers `/metrics`.

mod layer;
mod service;

pub use layer::{MeasuredBody, MetricsFuture, MetricsLayer, MetricsMiddleware};
pub use service::MetricsService;
