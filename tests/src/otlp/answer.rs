//! What the receiver answers to one request: by the rules of OTLP over HTTP or gRPC, or by the next fault.

use super::{Fault, OtlpRequest, State, grpc, lock};
use crate::span::{self, ReceivedSpan};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use std::collections::VecDeque;
use std::io::{self, Read as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::sync::watch;

/// A request that becomes longer than this when it is decompressed is a mistake.
const LONGEST: u64 = 64 * 1024 * 1024;

pub(super) const PROTOBUF: &str = "application/x-protobuf";

pub(super) type Answer = Response<BoxBody<Bytes, io::Error>>;

/// Why a request is refused, as its protocol says it.
pub(super) enum Refusal {
    Http(StatusCode, String),
    Grpc(grpc::Code, String),
}

pub(super) async fn answer(
    request: Request<Incoming>,
    state: watch::Sender<State>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
) -> Result<Answer, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let headers = (head.headers.iter())
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let note = |outcome: String, spans: Vec<ReceivedSpan>| {
        state.send_modify(|state| {
            state.spans.extend(spans);
            state.requests.push(OtlpRequest {
                path: head.uri.path().to_owned(),
                headers,
                bytes: body.len(),
                outcome,
            });
        });
    };
    let over_grpc = grpc::is(&head.headers);
    let read = match over_grpc {
        true => grpc::accept(&head, &body),
        false => accept(&head, &body),
    };
    let mut spans = match read {
        Ok(spans) => spans,
        Err(refusal) => {
            let (Refusal::Http(_, why) | Refusal::Grpc(_, why)) = &refusal;
            note(why.clone(), Vec::new());
            return Ok(refusal.answer());
        }
    };
    let accept_all_but = |partial_success| {
        let response = ExportTraceServiceResponse { partial_success }.encode_to_vec();
        match over_grpc {
            true => grpc::accepted(&response),
            false => accepted(response),
        }
    };
    let fault = lock(&faults).pop_front();
    let outcome = fault.map_or_else(|| "accepted".to_owned(), |fault| format!("{fault:?}"));
    match fault {
        None => {
            note(outcome, spans);
            Ok(accept_all_but(None))
        }
        Some(Fault::Status { code, retry_after }) => {
            note(outcome, Vec::new());
            let status = StatusCode::from_u16(code).expect("a fault with an HTTP status");
            let mut response = Refusal::Http(status, format!("injected {code}")).answer();
            if let Some(after) = retry_after {
                (response.headers_mut()).insert(RETRY_AFTER, after.as_secs().into());
            }
            Ok(response)
        }
        Some(Fault::Redirect(to)) => {
            note(outcome, Vec::new());
            let location = format!("http://{to}{}", head.uri.path());
            Ok(Response::builder()
                .status(StatusCode::TEMPORARY_REDIRECT)
                .header(LOCATION, location)
                .body(whole(""))
                .expect("a valid response"))
        }
        Some(Fault::Grpc { code, retry_after }) => {
            note(outcome, Vec::new());
            Ok(match over_grpc {
                true => grpc::refused(code, "injected", retry_after),
                false => {
                    Refusal::Http(StatusCode::INTERNAL_SERVER_ERROR, "no gRPC".to_owned()).answer()
                }
            })
        }
        Some(Fault::Partial { rejected }) => {
            spans.truncate(spans.len().saturating_sub(rejected));
            note(outcome, spans);
            Ok(accept_all_but(Some(ExportTracePartialSuccess {
                rejected_spans: rejected as i64,
                error_message: "injected".to_owned(),
            })))
        }
        Some(Fault::Reset) => {
            note(outcome, spans);
            let cut = match over_grpc {
                true => Cut::Reset,
                false => Cut::Short,
            };
            let response = Response::builder().header(CONTENT_TYPE, PROTOBUF);
            Ok((response.body(cut.boxed())).expect("a valid response"))
        }
        Some(Fault::Hang) => {
            note(outcome, Vec::new());
            std::future::pending().await
        }
    }
}

/// The rules of OTLP/HTTP that a request must keep before anything else happens to it.
fn accept(head: &http::request::Parts, body: &[u8]) -> Result<Vec<ReceivedSpan>, Refusal> {
    let header = |name| {
        head.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or("?"))
    };
    let (path, method) = (head.uri.path(), &head.method);
    let (content_type, encoding) = (header(CONTENT_TYPE), header(CONTENT_ENCODING));
    let refuse = |status, why| Err(Refusal::Http(status, why));
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
    read.map_err(|why| Refusal::Http(StatusCode::BAD_REQUEST, why))
}

/// A request or message that was compressed with gzip.
pub(super) fn gunzip(compressed: &[u8]) -> Result<Vec<u8>, String> {
    let mut message = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(compressed).take(LONGEST);
    match decoder.read_to_end(&mut message) {
        Ok(_) if message.len() as u64 == LONGEST => Err(format!("longer than {LONGEST} bytes")),
        Ok(_) => Ok(message),
        Err(error) => Err(format!("gzip: {error}")),
    }
}

/// The spans of an export request.
pub(super) fn spans(message: &[u8]) -> Result<Vec<ReceivedSpan>, String> {
    let request = ExportTraceServiceRequest::decode(message).map_err(|error| error.to_string())?;
    span::received(request)
}

impl Refusal {
    fn answer(self) -> Answer {
        let (status, why) = match self {
            Self::Http(status, why) => (status, why),
            Self::Grpc(code, why) => return grpc::refused(code, &why, None),
        };
        let mut response = Response::new(whole(why));
        *response.status_mut() = status;
        if status == StatusCode::METHOD_NOT_ALLOWED {
            (response.headers_mut()).insert(ALLOW, http::HeaderValue::from_static("POST"));
        }
        response
    }
}

fn accepted(response: Vec<u8>) -> Answer {
    Response::builder()
        .header(CONTENT_TYPE, PROTOBUF)
        .body(whole(response))
        .expect("a valid response")
}

pub(super) fn whole(body: impl Into<Bytes>) -> BoxBody<Bytes, io::Error> {
    Full::from(body.into())
        .map_err(|never| match never {})
        .boxed()
}

/// A body that ends before it should.
enum Cut {
    /// It announces more than it sends: over HTTP/1, hyper sends the head and closes the connection.
    Short,
    /// It fails: over HTTP/2, hyper sends the head and resets the stream.
    Reset,
}

impl Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(match *self {
            Self::Short => None,
            Self::Reset => Some(Err(io::Error::other("reset"))),
        })
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(2)
    }
}
