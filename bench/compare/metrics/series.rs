//! The series that every crate is given.

use std::time::Duration;

use cap_metrics::HttpMethod;
use cap_names::ClosedEnum as _;

pub(super) const REQUESTS: &str = "cap_http_requests_total";
pub(super) const REQUESTS_HELP: &str = "HTTP requests answered, by route pattern and status code";
pub(super) const CALLS: &str = "cap_external_request_duration_seconds";
pub(super) const CALLS_HELP: &str =
    "Time of one call to an external system, status none when no response came";

pub(super) const PROVIDERS: [&str; 10] =
    ["acme", "msca", "route53", "azure", "google", "digicert", "ovh", "gandi", "f5", "netscaler"];
/// Statuses of each provider and endpoint.
pub(super) const STATUSES: usize = 50;

pub(super) fn path(n: usize) -> String {
    format!("/projects/:projectId/certificates/:id/{n}")
}

pub(super) fn endpoint(n: usize) -> String {
    format!("/v2/accounts/:account/orders/{n}")
}

/// Calls `each` with the labels of each counter: 10 methods, then 500 status codes, then paths.
pub(super) fn requests(series: usize, mut count: impl FnMut(HttpMethod, &str, u16)) {
    for n in 0..series {
        let method = HttpMethod::ALL[n % 10];
        count(method, &path(n / 5000), 100 + (n / 10 % 500) as u16);
    }
}

/// Calls `each` with the labels and one time of each histogram: 10 providers, then 50 status codes,
/// then endpoints.
pub(super) fn calls(series: usize, mut observe: impl FnMut(&str, &str, u16, Duration)) {
    for n in 0..series {
        let status = 200 + (n / 10 % STATUSES) as u16;
        let took = Duration::from_micros(n as u64 * 1297 % 12_000_000);
        observe(PROVIDERS[n % 10], &endpoint(n / 500), status, took);
    }
}
