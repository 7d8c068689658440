//! An OTLP/HTTP collector in this process: it keeps the spans it accepted, and misbehaves on request.
//!
//! ```
//! use cap_tests::{Fault, OtlpReceiver};
//! use std::time::Duration;
//!
//! # async fn example() -> std::io::Result<()> {
//! let collector = OtlpReceiver::start().await?;
//! collector.inject(Fault::status(503));
//! // … export to collector.endpoint() …
//! let retried = collector.wait_for(|spans| spans.len() == 1, Duration::from_secs(5)).await;
//! # assert!(!retried);
//! collector.stop().await;
//! # Ok(())
//! # }
//! ```

mod answer;

use crate::server::{self, Server};
use crate::span::ReceivedSpan;
use hyper_util::rt::TokioIo;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What the receiver does with one well-formed export request, instead of accepting it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this status and keeps nothing of the request.
    Status {
        /// The HTTP status code.
        code: u16,
        /// Sent as `Retry-After`, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// Accepts all but the last spans of the request, and says so in a partial success.
    Partial {
        /// How many spans are rejected.
        rejected: usize,
    },
    /// Keeps the spans, and closes the connection in the middle of the answer.
    Reset,
    /// Keeps nothing and never answers, until the receiver stops.
    Hang,
}

impl Fault {
    /// A status without `Retry-After`.
    pub const fn status(code: u16) -> Self {
        Self::Status {
            code,
            retry_after: None,
        }
    }
}

/// A request as it came in, whether or not its spans were accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpRequest {
    /// Path of the request.
    pub path: String,
    /// Headers, in lower case.
    pub headers: BTreeMap<String, String>,
    /// Bytes of the body.
    pub bytes: usize,
    /// What the receiver made of it: `accepted`, a fault, or why it was refused.
    pub outcome: String,
}

#[derive(Debug, Default)]
struct State {
    spans: Vec<ReceivedSpan>,
    requests: Vec<OtlpRequest>,
}

/// An OTLP/HTTP receiver for traces on loopback.
#[derive(Debug)]
pub struct OtlpReceiver {
    server: Server,
    state: watch::Sender<State>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
}

impl OtlpReceiver {
    /// Starts on a free port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(server::ANY_PORT).await
    }

    /// Starts on `addr`, as a collector does that comes back after a restart.
    ///
    /// # Errors
    /// When `addr` cannot be bound.
    pub async fn start_on(addr: SocketAddr) -> io::Result<Self> {
        let state = watch::Sender::new(State::default());
        let faults = Arc::new(Mutex::new(VecDeque::new()));
        let (shared, queue) = (state.clone(), Arc::clone(&faults));
        let server = Server::start(addr, move |stream| {
            let (state, faults) = (shared.clone(), Arc::clone(&queue));
            async move {
                let service =
                    hyper::service::service_fn(|request| answer::answer(request, &state, &faults));
                // The error is the client's business: it went away, or it was cut off by a fault.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
        })
        .await?;
        Ok(Self {
            server,
            state,
            faults,
        })
    }

    /// Where it listens; [`start_on`](Self::start_on) comes back there.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// `http://127.0.0.1:PORT`, without the path of the signal.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// Queues a fault: each well-formed request to come takes one, and those after the last are accepted.
    pub fn inject(&self, fault: Fault) {
        lock(&self.faults).push_back(fault);
    }

    /// The spans accepted so far, in the order received. A span that was sent twice is there twice.
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        self.state.borrow().spans.clone()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<OtlpRequest> {
        self.state.borrow().requests.clone()
    }

    /// Waits until the accepted spans are as wanted; false after `timeout`.
    pub async fn wait_for(
        &self,
        wanted: impl Fn(&[ReceivedSpan]) -> bool,
        timeout: Duration,
    ) -> bool {
        server::until(&self.state, |state| wanted(&state.spans), timeout).await
    }

    /// Waits until that many requests have come in, refused and failed ones included; false after `timeout`.
    pub async fn wait_for_requests(&self, count: usize, timeout: Duration) -> bool {
        server::until(&self.state, |state| state.requests.len() >= count, timeout).await
    }

    /// Closes the listener and every connection, and gives back the spans.
    pub async fn stop(self) -> Vec<ReceivedSpan> {
        self.server.stop().await;
        self.state.send_replace(State::default()).spans
    }
}

fn lock(faults: &Mutex<VecDeque<Fault>>) -> std::sync::MutexGuard<'_, VecDeque<Fault>> {
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::answer::PROTOBUF;
    use super::*;
    use bytes::Bytes;
    use http::header::{CONTENT_TYPE, RETRY_AFTER};
    use http::{Request, StatusCode};
    use http_body_util::{BodyExt as _, Full};
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
    };
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
    use prost::Message as _;

    const SOON: Duration = Duration::from_secs(5);

    fn span(name: &str) -> Span {
        Span {
            trace_id: vec![0xab; 16],
            span_id: vec![1; 8],
            name: name.to_owned(),
            kind: 2,
            status: Some(Status {
                message: "no route to host".to_owned(),
                code: 2,
            }),
            ..Span::default()
        }
    }

    /// A request with these spans.
    pub(crate) fn export(spans: Vec<Span>) -> Vec<u8> {
        let scope_spans = vec![ScopeSpans {
            spans,
            ..ScopeSpans::default()
        }];
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                scope_spans,
                ..ResourceSpans::default()
            }],
        }
        .encode_to_vec()
    }

    pub(crate) async fn post(
        endpoint: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<(http::response::Parts, Bytes), Box<dyn std::error::Error>> {
        let client =
            hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
                .build_http::<Full<Bytes>>();
        let request = Request::post(format!("{endpoint}/v1/traces"))
            .header(CONTENT_TYPE, content_type)
            .body(Full::from(body))?;
        let (head, body) = client.request(request).await?.into_parts();
        Ok((head, body.collect().await?.to_bytes()))
    }

    #[tokio::test]
    async fn accepted_spans_are_read_back_and_answered_in_protobuf() {
        let collector = OtlpReceiver::start().await.expect("a port");
        let (head, body) = post(&collector.endpoint(), PROTOBUF, export(vec![span("job")]))
            .await
            .expect("an answer");
        assert_eq!(head.status, StatusCode::OK);
        assert_eq!(
            ExportTraceServiceResponse::decode(body),
            Ok(ExportTraceServiceResponse::default())
        );
        assert!(collector.wait_for(|spans| spans.len() == 1, SOON).await);
        let span = &collector.spans()[0];
        assert_eq!(span.trace_id, "ab".repeat(16));
        assert_eq!(
            (span.kind, span.parent_span_id.as_deref()),
            ("server", None)
        );
        assert_eq!(span.error.as_deref(), Some("no route to host"));
    }

    #[tokio::test]
    async fn what_breaks_the_protocol_is_refused_and_kept_as_a_request() {
        let collector = OtlpReceiver::start().await.expect("a port");
        let no_id = Span {
            trace_id: vec![0; 16],
            ..span("zero trace id")
        };
        for (content_type, body, expected) in [
            ("application/json", export(vec![span("a")]), 415),
            (PROTOBUF, vec![0xff; 3], 400),
            (PROTOBUF, export(vec![no_id]), 400),
        ] {
            let (head, _) = post(&collector.endpoint(), content_type, body)
                .await
                .expect("an answer");
            assert_eq!(head.status, expected);
        }
        assert_eq!(collector.requests().len(), 3);
        assert_eq!(collector.spans(), []);
    }

    #[tokio::test]
    async fn faults_happen_once_each_and_in_order() {
        let collector = OtlpReceiver::start().await.expect("a port");
        collector.inject(Fault::Status {
            code: 503,
            retry_after: Some(Duration::from_secs(7)),
        });
        collector.inject(Fault::Partial { rejected: 1 });
        collector.inject(Fault::Reset);
        let two = || export(vec![span("kept"), span("last")]);

        let (head, _) = post(&collector.endpoint(), PROTOBUF, two())
            .await
            .expect("an answer");
        assert_eq!(
            (head.status.as_u16(), &head.headers[RETRY_AFTER]),
            (503, &"7".parse().unwrap())
        );
        assert_eq!(collector.spans(), []);

        let (_, body) = post(&collector.endpoint(), PROTOBUF, two())
            .await
            .expect("an answer");
        let partial = (ExportTraceServiceResponse::decode(body).unwrap()).partial_success;
        assert_eq!(partial.map(|partial| partial.rejected_spans), Some(1));
        assert_eq!(collector.spans().len(), 1);

        assert!(post(&collector.endpoint(), PROTOBUF, two()).await.is_err());
        assert_eq!(collector.spans().len(), 3);

        let (head, _) = post(&collector.endpoint(), PROTOBUF, two())
            .await
            .expect("an answer");
        assert_eq!(head.status, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_hanging_collector_can_be_restarted_on_its_address() {
        let first = OtlpReceiver::start().await.expect("a port");
        let (addr, endpoint) = (first.addr(), first.endpoint());
        first.inject(Fault::Hang);
        let body = export(vec![span("a")]);
        tokio::select! {
            answer = post(&endpoint, PROTOBUF, body.clone()) => panic!("{answer:?}"),
            came = first.wait_for_requests(1, SOON) => assert!(came),
        }
        assert_eq!(first.stop().await, []);
        let second = OtlpReceiver::start_on(addr).await.expect("the same port");
        post(&second.endpoint(), PROTOBUF, body)
            .await
            .expect("an answer");
        assert_eq!(second.stop().await.len(), 1);
    }
}
