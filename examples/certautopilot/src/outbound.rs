//! Every HTTP call the service makes: one guarded client, one span and one measurement each.

use std::error::Error as _;
use std::fmt;
use std::time::{Duration, Instant};

use axum::http::header::RETRY_AFTER;
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
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::failure::Failure;

/// No answer that is waited for is longer.
const BODY_LIMIT: usize = 1024 * 1024;
/// A peer that asks for more patience is tried again all the same.
const RETRY_AFTER_LIMIT: Duration = Duration::from_secs(3600);

/// The HTTP client.
#[derive(Clone)]
pub(crate) struct Outbound {
    client: Client<Connector, Full<Bytes>>,
    telemetry: Telemetry,
    timeout: Duration,
}

impl Outbound {
    /// A client that waits this long for each answer.
    pub(crate) fn new(telemetry: Telemetry, timeout: Duration) -> Self {
        let connector = telemetry.connector();
        Self::through(connector, telemetry, timeout)
    }

    /// One that also trusts the authorities in this PEM.
    ///
    /// # Errors
    /// When there is no certificate in it.
    pub(crate) fn trusting(
        pem: &[u8],
        telemetry: Telemetry,
        timeout: Duration,
    ) -> Result<Self, egress::Error> {
        let connector = Connector::new(telemetry.guard().clone(), Trust::system_with_ca(pem)?);
        Ok(Self::through(connector, telemetry, timeout))
    }

    fn through(connector: Connector, telemetry: Telemetry, timeout: Duration) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Outbound {
            client,
            telemetry,
            timeout,
        }
    }

    /// Calls an external system once, and returns the body of its answer. The peer is a third party: it gets the trace context, and no baggage.
    ///
    /// # Errors
    /// When no answer comes in time, or one that is not a success.
    pub(crate) async fn call(
        &self,
        provider: &str,
        endpoint: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<Bytes, Failure> {
        match self.exchange(provider, endpoint, request).await? {
            (_, Some(failure)) => Err(failure),
            (response, None) => Ok(response.into_body()),
        }
    }

    /// The same for a caller that reads answers of every status: the answer, and the failure that its status means.
    ///
    /// # Errors
    /// When no answer comes in time.
    pub(crate) async fn exchange(
        &self,
        provider: &str,
        endpoint: &str,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Response<Bytes>, Option<Failure>), Failure> {
        let tracing = self.telemetry.tracer().clone();
        let mut client = ClientLayer::external(tracing, provider).layer(self.client.clone());
        request
            .extensions_mut()
            .insert(Operation(endpoint.to_owned().into()));
        let started = Instant::now();
        let mut status = HttpStatus::NONE;
        let exchange = async {
            let response = client.call(request).await.map_err(|e| broken(&e))?;
            let (head, body) = response.into_parts();
            status = head.status.into();
            let body = Limited::new(body, BODY_LIMIT).collect().await;
            let body = body.map_err(|error| network(format!("the answer broke off: {error}")))?;
            let body = body.to_bytes();
            let failure = refused(head.status, &head.headers).map(|failure| Failure {
                problem: problem(&body),
                ..failure
            });
            Ok((Response::from_parts(head, body), failure))
        };
        let outcome = match tokio::time::timeout(self.timeout, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(network(format!("no answer within {:?}", self.timeout))),
        };
        let named = |failure: Failure| Failure {
            message: format!("{provider} {endpoint}: {}", failure.message),
            ..failure
        };
        let outcome = match outcome {
            Ok((response, failure)) => Ok((response, failure.map(named))),
            Err(failure) => Err(named(failure)),
        };
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
fn refused(status: StatusCode, headers: &HeaderMap) -> Option<Failure> {
    if status.is_success() {
        return None;
    }
    // A redirect is an error here, since none is followed.
    let class = ErrorClass::from_http_status(status.as_u16()).unwrap_or(ErrorClass::IoPermanent);
    let seconds = headers
        .get(RETRY_AFTER)
        .and_then(|it| it.to_str().ok()?.parse().ok());
    Some(Failure {
        retry_after: seconds.map(|s| Duration::from_secs(s).min(RETRY_AFTER_LIMIT)),
        ..Failure::new(class, format!("answered {status}"))
    })
}

/// The type of a problem document (RFC 9457).
fn problem(body: &[u8]) -> Option<String> {
    let document: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(document.get("type")?.as_str()?.to_owned())
}

/// The failure of a call without an answer, with all its causes. What the egress policy refuses, it refuses next time too.
fn broken(error: &hyper_util::client::legacy::Error) -> Failure {
    let mut message = error.to_string();
    let mut denied = None;
    let mut cause = error.source();
    while let Some(error) = cause {
        let refused = error
            .downcast_ref()
            .filter(|error: &&egress::Error| error.is_denied());
        denied = denied.or(refused.map(egress::Error::class));
        message = format!("{message}: {error}");
        cause = error.source();
    }
    Failure::new(denied.unwrap_or(ErrorClass::Network), message)
}

fn network(message: String) -> Failure {
    Failure::new(ErrorClass::Network, message)
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_fall_into_the_classes_of_errors() {
        let class = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            refused(status, &HeaderMap::new()).map(|failure| failure.class)
        };
        assert_eq!(class(201), None);
        for status in [401, 403] {
            assert_eq!(class(status), Some(ErrorClass::Auth));
        }
        for status in [429, 500, 503] {
            assert_eq!(class(status), Some(ErrorClass::IoTransient));
        }
        for status in [302, 400, 404] {
            assert_eq!(class(status), Some(ErrorClass::IoPermanent));
        }
    }

    #[test]
    fn retry_after_is_taken_in_seconds_and_within_an_hour() {
        let wait = |value: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            refused(StatusCode::TOO_MANY_REQUESTS, &headers)?.retry_after
        };
        assert_eq!(wait("3"), Some(Duration::from_secs(3)));
        assert_eq!(wait("999999"), Some(RETRY_AFTER_LIMIT));
        assert_eq!(wait("Fri, 31 Dec 1999 23:59:59 GMT"), None);
    }
}
