//! The tower layer that measures requests, the service that answers `/metrics`, and its listener.

mod body;
mod layer;
mod listener;
mod negotiate;
mod service;

pub use body::{ScrapeBody, ScrapeTimeout};
pub use layer::{MeasuredBody, MetricsFuture, MetricsLayer, MetricsMiddleware};
pub use listener::serve;
pub use service::MetricsService;
