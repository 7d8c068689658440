//! OTLP over HTTP: what a request must keep to, and how it is answered.

use super::body::{Answer, Refusal, whole};
use super::message::{gunzip, spans};
use super::span::ReceivedSpan;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};

pub(super) const PROTOBUF: &str = "application/x-protobuf";

/// The rules of OTLP/HTTP that a request must keep before anything else happens to it.
pub(super) fn accept(
    head: &http::request::Parts,
    body: &[u8],
) -> Result<Vec<ReceivedSpan>, Refusal> {
    let header = |name| head.headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"));
    let (path, method) = (head.uri.path(), &head.method);
    let (content_type, encoding) = (header(CONTENT_TYPE), header(CONTENT_ENCODING));
    let refuse = |status, why| Err(refused(status, why));
    if path != "/v1/traces" {
        return refuse(StatusCode::NOT_FOUND, format!("no such path: {path}"));
    }
    if method != Method::POST {
        let why = format!("only POST is allowed, not {method}");
        return refuse(StatusCode::METHOD_NOT_ALLOWED, why);
    }
    if content_type != PROTOBUF {
        let why = format!("content type {content_type:?}");
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
    }
    let read = match encoding {
        "" | "identity" => spans(body),
        "gzip" => gunzip(body).and_then(|body| spans(&body)),
        other => {
            let why = format!("content encoding {other:?}");
            return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
        }
    };
    read.map_err(|why| refused(StatusCode::BAD_REQUEST, why))
}

/// An answer without protobuf, with the reason as text.
pub(super) fn refused(status: StatusCode, why: String) -> Refusal {
    let mut answer = Response::new(whole(why.clone()));
    *answer.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        (answer.headers_mut()).insert(ALLOW, HeaderValue::from_static("POST"));
    }
    Refusal { why, answer: Box::new(answer) }
}

pub(super) fn accepted(response: Vec<u8>) -> Answer {
    Response::builder()
        .header(CONTENT_TYPE, PROTOBUF)
        .body(whole(response))
        .expect("a valid response")
}
