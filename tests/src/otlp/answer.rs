//! What the receiver answers to one request: by the rules of OTLP/HTTP, or by the next fault.

use super::{Fault, OtlpRequest, State, lock};
use crate::span::{self, ReceivedSpan};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Body, Frame, Incoming};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use tokio::sync::watch;

pub(super) const PROTOBUF: &str = "application/x-protobuf";

pub(super) type Answer = Response<Either<Full<Bytes>, Cut>>;

pub(super) async fn answer(
    request: Request<Incoming>,
    state: &watch::Sender<State>,
    faults: &Mutex<VecDeque<Fault>>,
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
    let mut spans = match accept(&head, &body) {
        Ok(spans) => spans,
        Err((status, why)) => {
            note(why.clone(), Vec::new());
            return Ok(refusal(status, why));
        }
    };
    let fault = lock(faults).pop_front();
    let outcome = fault.map_or_else(|| "accepted".to_owned(), |fault| format!("{fault:?}"));
    match fault {
        None => {
            note(outcome, spans);
            Ok(export_response(None))
        }
        Some(Fault::Status { code, retry_after }) => {
            note(outcome, Vec::new());
            let status = StatusCode::from_u16(code).expect("a fault with an HTTP status");
            let mut response = refusal(status, format!("injected {code}"));
            if let Some(after) = retry_after {
                (response.headers_mut()).insert(RETRY_AFTER, after.as_secs().into());
            }
            Ok(response)
        }
        Some(Fault::Partial { rejected }) => {
            spans.truncate(spans.len().saturating_sub(rejected));
            note(outcome, spans);
            Ok(export_response(Some(ExportTracePartialSuccess {
                rejected_spans: rejected as i64,
                error_message: "injected".to_owned(),
            })))
        }
        Some(Fault::Reset) => {
            note(outcome, spans);
            let response = Response::builder().header(CONTENT_TYPE, PROTOBUF);
            Ok((response.body(Either::Right(Cut))).expect("a valid response"))
        }
        Some(Fault::Hang) => {
            note(outcome, Vec::new());
            std::future::pending().await
        }
    }
}

/// The rules of OTLP/HTTP that a request must keep before anything else happens to it.
fn accept(
    head: &http::request::Parts,
    body: &[u8],
) -> Result<Vec<ReceivedSpan>, (StatusCode, String)> {
    let header = |name| {
        head.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or("?"))
    };
    if head.uri.path() != "/v1/traces" {
        return Err((
            StatusCode::NOT_FOUND,
            format!("no such path: {}", head.uri.path()),
        ));
    }
    if head.method != Method::POST {
        return Err((
            StatusCode::METHOD_NOT_ALLOWED,
            format!("not a POST: {}", head.method),
        ));
    }
    if header(CONTENT_TYPE) != PROTOBUF {
        let why = format!("content type {:?}", header(CONTENT_TYPE));
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    if !matches!(header(CONTENT_ENCODING), "" | "identity") {
        let why = format!("content encoding {:?}", header(CONTENT_ENCODING));
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let request = ExportTraceServiceRequest::decode(body)
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    span::received(request).map_err(|why| (StatusCode::BAD_REQUEST, why))
}

fn refusal(status: StatusCode, why: String) -> Answer {
    let mut response = Response::new(Either::Left(Full::from(why)));
    *response.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        (response.headers_mut()).insert(ALLOW, http::HeaderValue::from_static("POST"));
    }
    response
}

fn export_response(partial_success: Option<ExportTracePartialSuccess>) -> Answer {
    let body = ExportTraceServiceResponse { partial_success }.encode_to_vec();
    Response::builder()
        .header(CONTENT_TYPE, PROTOBUF)
        .body(Either::Left(Full::from(body)))
        .expect("a valid response")
}

/// A body that announces more than it sends: hyper sends the head and closes the connection.
pub(super) struct Cut;

impl Body for Cut {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(None)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(2)
    }
}
