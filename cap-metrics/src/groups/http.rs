//! Requests served.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::catalogue::labels::{HttpMethod, HttpStatus, Route};
use crate::exemplar::ExemplarIds;
use crate::registry::Registry;

/// The path of every request that no pattern matches.
const UNMATCHED: &str = "unmatched";

/// Records HTTP requests. `MetricsLayer` does it for a tower service.
#[derive(Clone, Copy, Debug)]
pub struct Http<'a>(pub(crate) &'a Arc<Registry>);

impl Http<'_> {
    /// Reserves the handle of unmatched requests, so that no number of routes takes its place.
    pub(crate) fn init(&self) {
        self.0.words.route(UNMATCHED);
    }

    /// The handle of a route pattern. `/{id}` and `/:id` are one route, written `/:id`.
    pub fn route(&self, pattern: &str) -> Route {
        self.0.words.route_pattern(pattern)
    }

    /// The one route of every request that no pattern matches.
    pub fn unmatched(&self) -> Route {
        self.0.words.route(UNMATCHED)
    }

    /// A request arrived. It is in flight until the returned value is dropped, and is counted then.
    pub fn start(&self, method: HttpMethod, route: Route) -> HttpRequest {
        self.0.families.http.in_flight.inc();
        HttpRequest {
            registry: Arc::clone(self.0),
            method,
            route,
            status: None,
            started: Instant::now(),
            trace: self.0.exemplar_ids(),
        }
    }

    /// Records the duration of an answered request, without counting it.
    #[inline]
    pub fn record_duration(&self, method: HttpMethod, route: Route, took: Duration) {
        let trace = self.0.exemplar_ids();
        let http = &self.0.families.http;
        http.duration.observe((method, route), took, trace);
    }

    /// Counts an answered request, without a duration.
    #[inline]
    pub fn record_request(&self, method: HttpMethod, route: Route, status: HttpStatus) {
        self.0.families.http.requests.inc((method, route, status));
    }
}

/// A request in flight. If it is dropped before [`record_status`](HttpRequest::record_status), it
/// counts as 500 during a panic, and as 499 (the client closed the request) otherwise.
#[derive(Debug)]
#[must_use = "the request ends when this is dropped"]
pub struct HttpRequest {
    registry: Arc<Registry>,
    method: HttpMethod,
    route: Route,
    status: Option<HttpStatus>,
    started: Instant,
    trace: Option<ExemplarIds>,
}

impl HttpRequest {
    /// The status of the response is known.
    pub fn record_status(&mut self, status: HttpStatus) {
        self.status = Some(status);
    }
}

impl Drop for HttpRequest {
    fn drop(&mut self) {
        let status = self
            .status
            .unwrap_or_else(|| HttpStatus::new(if std::thread::panicking() { 500 } else { 499 }));
        let http = &self.registry.families.http;
        http.requests.inc((self.method, self.route, status));
        http.duration.observe((self.method, self.route), self.started.elapsed(), self.trace);
        http.in_flight.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    #[test]
    fn both_spellings_of_a_pattern_are_one_route() {
        let metrics = Metrics::new();
        assert_eq!(metrics.http().route("/a/{id}"), metrics.http().route("/a/:id"));
    }

    #[test]
    fn an_abandoned_request_is_not_in_flight_and_counts_as_499() {
        let metrics = Metrics::new();
        let route = metrics.http().route("/healthz");
        drop(metrics.http().start(HttpMethod::Get, route));
        let text = metrics.render();
        assert!(text.contains("cap_http_in_flight_requests 0\n"), "{text}");
        assert!(
            text.contains(
                r#"cap_http_requests_total{method="GET",path="/healthz",status="499"} 1"#
            ),
            "{text}"
        );
    }

    #[test]
    fn routes_past_the_limit_overflow_and_leave_unmatched_alone() {
        let metrics = Metrics::new();
        let http = metrics.http();
        for n in 0..300 {
            http.record_request(
                HttpMethod::Get,
                http.route(&format!("/{n}")),
                HttpStatus::new(200),
            );
        }
        http.record_request(HttpMethod::Get, http.unmatched(), HttpStatus::new(404));
        metrics.assert_shows([
            r#"{method="GET",path="_overflow",status="200"} 45"#,
            r#"{method="GET",path="unmatched",status="404"} 1"#,
            r#"cap_telemetry_series_folded_total{family="cap_http_requests_total"} 45"#,
        ]);
    }

    #[test]
    fn a_request_whose_handler_panics_counts_as_500() {
        let metrics = Metrics::new();
        let inside = metrics.clone();
        let joined = std::thread::spawn(move || {
            let _request = inside.http().start(HttpMethod::Get, inside.http().unmatched());
            panic!("a handler's bug");
        })
        .join();
        assert!(joined.is_err());
        let text = metrics.render();
        assert!(text.contains(r#"{method="GET",path="unmatched",status="500"} 1"#), "{text}");
    }
}
