//! Every HTTP call the service makes: one guarded client, one span and one measurement each.

use std::error::Error as _;
use std::time::{Duration, Instant};

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use bytes::Bytes;
use cap_telemetry::Telemetry;
use cap_telemetry::egress::{self, Connector, Trust};
use cap_telemetry::metrics::{HttpStatus, Outcome};
use cap_telemetry::names::ErrorClass;
use cap_telemetry::trace::{ClientLayer, Operation};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::failure::Failure;

/// A longer answer is a failure.
const BODY_LIMIT: usize = 1024 * 1024;
/// The longest Retry-After that is respected.
const RETRY_AFTER_LIMIT: Duration = Duration::from_secs(3600);

#[derive(Clone)]
pub(crate) struct Outbound {
    client: Client<Connector, Full<Bytes>>,
    telemetry: Telemetry,
    timeout: Duration,
}

impl Outbound {
    /// A client that waits this long for each answer, and also trusts the authorities in `ca`
    /// (PEM).
    pub(crate) fn new(
        telemetry: Telemetry,
        timeout: Duration,
        ca: Option<&[u8]>,
    ) -> Result<Self, egress::Error> {
        let connector = match ca {
            None => telemetry.connector(),
            Some(pem) => Connector::new(telemetry.guard().clone(), Trust::system_with_ca(pem)?),
        };
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, telemetry, timeout })
    }

    pub(crate) async fn post(
        &self,
        provider: &str,
        endpoint: &str,
        url: &str,
        body: &Value,
    ) -> Result<(), Failure> {
        let request = Request::post(url)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| Failure::invalid(format!("{url}: {error}")))?;
        match self.exchange(provider, endpoint, request).await? {
            (_, Some(failure)) => Err(failure),
            (_, None) => Ok(()),
        }
    }

    /// Calls an external system once: its answer, and the failure that the status of the answer
    /// means. The peer is a third party, so it gets the trace context and no baggage.
    pub(crate) async fn exchange(
        &self,
        provider: &str,
        endpoint: &str,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Response<Bytes>, Option<Failure>), Failure> {
        let tracer = self.telemetry.tracer().clone();
        let mut client = ClientLayer::external(tracer, provider).layer(self.client.clone());
        request.extensions_mut().insert(Operation(endpoint.to_owned().into()));
        let named = |failure: Failure| Failure {
            message: format!("{provider} {endpoint}: {}", failure.message),
            ..failure
        };
        let started = Instant::now();
        let mut status = HttpStatus::NONE;
        let exchange = async {
            let response = client.call(request).await.map_err(|error| broken(&error))?;
            let (head, body) = response.into_parts();
            status = head.status.into();
            let body = Limited::new(body, BODY_LIMIT).collect().await;
            let body = body.map_err(|error| network(format!("the answer broke off: {error}")))?;
            let body = body.to_bytes();
            let failure = refused(head.status, &head.headers, &body).map(named);
            Ok((Response::from_parts(head, body), failure))
        };
        let outcome = tokio::time::timeout(self.timeout, exchange).await;
        let outcome = outcome
            .unwrap_or_else(|_| Err(network(format!("no answer within {:?}", self.timeout))))
            .map_err(named);
        self.telemetry.metrics().external().record_called(
            provider,
            endpoint,
            status,
            Outcome::from(matches!(outcome, Ok((_, None)))),
            started.elapsed(),
        );
        outcome
    }
}

/// The failure that a status other than success means.
fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<Failure> {
    if status.is_success() {
        return None;
    }
    // A redirect is an error here, since none is followed.
    let class = ErrorClass::from_http_status(status.as_u16()).unwrap_or(ErrorClass::IoPermanent);
    let seconds = headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok());
    // RFC 9457.
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    Some(Failure {
        retry_after: seconds.map(|s| Duration::from_secs(s).min(RETRY_AFTER_LIMIT)),
        problem: problem["type"].as_str().map(str::to_owned),
        ..Failure::new(class, format!("answered {status}"))
    })
}

/// The failure of a call without an answer, with all its causes. What the egress policy refuses
/// once, it refuses every time.
fn broken(error: &hyper_util::client::legacy::Error) -> Failure {
    let mut message = error.to_string();
    let mut denied = None;
    let mut cause = error.source();
    while let Some(error) = cause {
        let refused = error.downcast_ref::<egress::Error>().filter(|error| error.is_denied());
        denied = denied.or(refused.map(egress::Error::class));
        message = format!("{message}: {error}");
        cause = error.source();
    }
    Failure::new(denied.unwrap_or(ErrorClass::Network), message)
}

fn network(message: String) -> Failure {
    Failure::new(ErrorClass::Network, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_taken_in_seconds_and_within_an_hour() {
        let wait = |value: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            refused(StatusCode::TOO_MANY_REQUESTS, &headers, b"")?.retry_after
        };
        assert_eq!(wait("3"), Some(Duration::from_secs(3)));
        assert_eq!(wait("999999"), Some(RETRY_AFTER_LIMIT));
        assert_eq!(wait("Fri, 31 Dec 1999 23:59:59 GMT"), None);
    }
}
