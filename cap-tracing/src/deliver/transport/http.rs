//! One attempt over OTLP/HTTP.

use std::time::Duration;

use bytes::Bytes;
use cap_egress::Connector;
use cap_names::ErrorClass;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;

use super::failure::{Failure, Retry};
use super::pieces::Pieces;
use crate::config::{Compression, Config};

pub(super) struct Http {
    client: Client<Connector, Pieces>,
    uri: Uri,
    headers: HeaderMap,
}

impl Http {
    pub(super) fn new(config: &Config, connector: Connector) -> Self {
        let mut headers = HeaderMap::from_iter(config.headers.iter().cloned());
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-protobuf"),
        );
        if config.compression == Compression::Gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(USER_AGENT, HeaderValue::from_static(super::USER_AGENT));
        Http {
            client: Client::builder(TokioExecutor::new()).build(connector),
            uri: config.endpoint.uri().clone(),
            headers,
        }
    }

    pub(super) async fn attempt(&self, body: Bytes) -> Result<ExportTracePartialSuccess, Failure> {
        let mut request = Request::new(Pieces::of(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let response = self.client.request(request).await;
        let (head, body) = response
            .map_err(|error| Failure::no_answer(&error))?
            .into_parts();
        if !head.status.is_success() {
            return Err(refusal(head.status, &head.headers));
        }
        let body = Limited::new(body, super::LONGEST_ANSWER).collect().await;
        let body = body.map_err(|error| Failure::no_answer(&*error))?;
        let answer = ExportTraceServiceResponse::decode(body.to_bytes()).unwrap_or_default();
        Ok(answer.partial_success.unwrap_or_default())
    }
}

/// What a status that is no success means (OTLP specification, OTLP/HTTP Response, Failures).
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap) -> Failure {
    let what = format!("answered {status}");
    // A redirect is an error here, since none is followed.
    let class = ErrorClass::from_http_status(status.as_u16()).unwrap_or(ErrorClass::IoPermanent);
    let failure = match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Failure {
            class,
            what,
            retry: Some(Retry {
                after: retry_after(headers),
            }),
        },
        StatusCode::PAYLOAD_TOO_LARGE => Failure::permanent(format!(
            "{what}; raise the collector's limit for a request, or lower telemetry.tracing.batch_size"
        )),
        status if status.is_redirection() => Failure::permanent(format!(
            "{what}; redirects are not followed: configure the address itself"
        )),
        _ => Failure::permanent(what),
    };
    Failure { class, ..failure }
}

/// Whole seconds; a date is not honoured, and the backoff takes its place.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
