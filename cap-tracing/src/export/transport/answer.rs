//! What an answer of the collector means, where OTLP/HTTP and OTLP/gRPC agree.

use std::time::Duration;

use bytes::Bytes;
use cap_names::ErrorClass;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use prost::Message;

use super::failure::{Failure, Retry};

/// Bytes of an answer that are read: an answer to an export is a few bytes long.
pub(super) const MAX_ANSWER: usize = 64 * 1024;
/// Characters of the collector's own words that are shown.
const MAX_PRINTABLE: usize = 300;

/// `ExportTraceServiceResponse` (opentelemetry-proto, trace_service.proto).
#[derive(Clone, PartialEq, Message)]
struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

/// `ExportTracePartialSuccess`: what the collector refused of a request that it accepted.
#[derive(Clone, PartialEq, Message)]
pub(in crate::export) struct PartialSuccess {
    #[prost(int64, tag = "1")]
    pub(in crate::export) rejected_spans: i64,
    #[prost(string, tag = "2")]
    pub(in crate::export) error_message: String,
}

/// Reads the answer to an accepted request. The collector has the spans already, so an answer that
/// cannot be read rejects none of them.
pub(super) fn partial_success(answer: Bytes) -> PartialSuccess {
    let answer = ExportResponse::decode(answer).unwrap_or_default();
    answer.partial_success.unwrap_or_default()
}

/// What a status other than 2xx means (OTLP specification, OTLP/HTTP Response, Failures).
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap) -> Failure {
    let what = format!("answered {status}");
    // A redirect is an error here, since the exporter follows none.
    let class = ErrorClass::from_http_status(status.as_u16()).unwrap_or(ErrorClass::IoPermanent);
    let failure = match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            Failure { class, what, retry: Some(Retry { after: retry_after(headers) }) }
        }
        StatusCode::PAYLOAD_TOO_LARGE => Failure::permanent(format!(
            "{what}; raise the collector's limit for a request, or lower telemetry.tracing.batch_size"
        )),
        status if status.is_redirection() => Failure::permanent(format!(
            "{what}; redirects are not followed: configure the address that it points to"
        )),
        _ => Failure::permanent(what),
    };
    Failure { class, ..failure }
}

/// Whole seconds. A date is not read, and the backoff takes its place.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The collector's words, in a form and length that fit a line of a log.
pub(in crate::export) fn printable(text: &str) -> String {
    let shown = text.chars().take(MAX_PRINTABLE);
    shown.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collectors_words_have_a_bounded_length() {
        assert_eq!(printable(&"é".repeat(1000)).chars().count(), MAX_PRINTABLE);
    }
}
