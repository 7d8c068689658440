//! OTLP over gRPC: one length-prefixed message each way, and a status after it. Written from the
//! protocol alone, so that a client and this receiver cannot share a mistake.

use super::body::{Answer, Refusal, whole};
use super::http1;
use super::message::{gunzip, spans};
use super::span::ReceivedSpan;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use std::fmt::Write as _;
use std::time::Duration;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// A gRPC status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the protocol's")]
pub enum Code {
    Canceled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

/// Whether a request claims to be gRPC.
pub(super) fn is(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_TYPE).starts_with("application/grpc")
}

/// The rules of gRPC that a request must keep before anything else happens to it.
pub(super) fn accept(
    head: &http::request::Parts,
    body: &[u8],
) -> Result<Vec<ReceivedSpan>, Refusal> {
    let content_type = text(&head.headers, &CONTENT_TYPE);
    if !matches!(content_type, "application/grpc" | "application/grpc+proto") {
        let why = format!("content type {content_type:?}");
        return Err(http1::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let refuse = |code, why: &str| Err(refused(code, why.to_owned(), None));
    if head.uri.path() != EXPORT {
        return refuse(Code::Unimplemented, "no such method");
    }
    if head.version != http::Version::HTTP_2 || head.method != Method::POST {
        return refuse(Code::Internal, "gRPC is a POST over HTTP/2");
    }
    if text(&head.headers, &TE) != "trailers" {
        return refuse(Code::Internal, "gRPC asks for trailers");
    }
    let invalid = |why| refused(Code::InvalidArgument, why, None);
    let (compressed, message) = match body {
        [flag @ (0 | 1), a, b, c, d, message @ ..]
            if u32::from_be_bytes([*a, *b, *c, *d]) as usize == message.len() =>
        {
            (*flag == 1, message)
        }
        _ => return refuse(Code::Internal, "not one whole message"),
    };
    // With an encoding, each message still says whether it is compressed (Compressed-Flag).
    match (text(&head.headers, &ENCODING), compressed) {
        ("" | "identity" | "gzip", false) => spans(message).map_err(invalid),
        ("gzip", true) => gunzip(message).and_then(|message| spans(&message)).map_err(invalid),
        ("" | "identity", true) => refuse(Code::Internal, "compressed without a grpc-encoding"),
        _ => refuse(Code::Unimplemented, "no such grpc-encoding"),
    }
}

/// A response message, and after it the trailers of success.
pub(super) fn accepted(response: &[u8]) -> Answer {
    let len = u32::try_from(response.len()).expect("a short message");
    let message = Bytes::from([&[0], &len.to_be_bytes()[..], response].concat());
    let trailers = HeaderMap::from_iter([(STATUS, HeaderValue::from_static("0"))]);
    let body = Full::from(message)
        .map_err(|never| match never {})
        .with_trailers(std::future::ready(Some(Ok(trailers))));
    (Response::builder().header(CONTENT_TYPE, "application/grpc"))
        .body(body.boxed())
        .expect("a valid response")
}

/// An answer that is trailers only.
pub(super) fn refused(code: Code, why: String, retry_after: Option<Duration>) -> Refusal {
    let code = i32::from(code as u8);
    let mut response = Response::builder()
        .header(CONTENT_TYPE, "application/grpc")
        .header(STATUS, code)
        .header(MESSAGE, percent_encoded(&why));
    if let Some(delay) = retry_after {
        let details = Status { code, message: why.clone(), details: vec![Any::retry_info(delay)] };
        let details = STANDARD_NO_PAD.encode(details.encode_to_vec());
        response = response.header(DETAILS, details);
    }
    let answer = response.body(whole("")).expect("a valid response");
    Refusal { why, answer: Box::new(answer) }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"))
}

/// `Status-Message` of the protocol: printable ASCII stays, but for the percent sign.
fn percent_encoded(message: &str) -> String {
    message.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(byte.into()),
            _ => write!(out, "%{byte:02X}").expect("a String takes every write"),
        }
        out
    })
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`
#[derive(Clone, PartialEq, prost::Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Any {
    fn retry_info(delay: Duration) -> Self {
        let retry_delay =
            Delay { seconds: delay.as_secs() as i64, nanos: delay.subsec_nanos() as i32 };
        let info = RetryInfo { retry_delay: Some(retry_delay) };
        Self {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: info.encode_to_vec(),
        }
    }
}
