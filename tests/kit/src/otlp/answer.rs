//! The answer to one request: by the rules of OTLP over HTTP or gRPC, or by the next fault.

use super::body::{Answer, Cut, Refusal, whole};
use super::fault::Fault;
use super::span::ReceivedSpan;
use super::state::{Faults, OtlpRequest, State};
use super::{grpc, http1};
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use tokio::sync::watch;

pub(super) async fn answer(
    request: Request<Incoming>,
    state: watch::Sender<State>,
    faults: Faults,
) -> Result<Answer, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let headers = (head.headers.iter())
        .map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
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
        false => http1::accept(&head, &body),
    };
    let mut spans = match read {
        Ok(spans) => spans,
        Err(Refusal { why, answer }) => {
            note(why, Vec::new());
            return Ok(*answer);
        }
    };
    let accept_all_but = |partial_success| {
        let response = ExportTraceServiceResponse { partial_success }.encode_to_vec();
        match over_grpc {
            true => grpc::accepted(&response),
            false => http1::accepted(response),
        }
    };
    let fault = faults.pop();
    let outcome = fault.map_or_else(|| "accepted".to_owned(), |fault| format!("{fault:?}"));
    match fault {
        None => {
            note(outcome, spans);
            Ok(accept_all_but(None))
        }
        Some(Fault::Status { code, retry_after }) => {
            note(outcome, Vec::new());
            let status = StatusCode::from_u16(code).expect("a fault with an HTTP status");
            let mut response = *http1::refused(status, format!("injected {code}")).answer;
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
                true => *grpc::refused(code, "injected".to_owned(), retry_after).answer,
                false => {
                    *http1::refused(StatusCode::INTERNAL_SERVER_ERROR, "no gRPC".to_owned()).answer
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
            let response = Response::builder().header(CONTENT_TYPE, http1::PROTOBUF);
            Ok((response.body(cut.boxed())).expect("a valid response"))
        }
        Some(Fault::Late(by)) => {
            note(outcome, spans);
            tokio::time::sleep(by).await;
            Ok(accept_all_but(None))
        }
        Some(Fault::Hang) => {
            note(outcome, Vec::new());
            std::future::pending().await
        }
    }
}
