//! An OTLP collector in this process, over HTTP and gRPC on one port. It keeps the spans it
//! accepted and misbehaves on request.

mod answer;
mod body;
mod fault;
mod grpc;
mod http1;
mod message;
pub(crate) mod span;
mod state;

use crate::server::{self, Server};
use crate::tls::Security;
use crate::wait;
pub use fault::Fault;
pub use grpc::Code;
use hyper_util::rt::{TokioExecutor, TokioIo};
pub use span::{ReceivedEvent, ReceivedLink, ReceivedSpan};
pub use state::OtlpRequest;
use state::{Faults, State};
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::watch;

/// An OTLP receiver for traces on loopback.
#[derive(Debug)]
pub struct OtlpReceiver {
    server: Server,
    secured: &'static str,
    state: watch::Sender<State>,
    faults: Faults,
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
        Self::start_with(addr, Security::Plain).await
    }

    /// Starts on `addr` ([`ANY_PORT`](crate::ANY_PORT) for any).
    ///
    /// # Errors
    /// When `addr` cannot be bound.
    pub async fn start_with(addr: SocketAddr, security: Security<'_>) -> io::Result<Self> {
        let state = watch::Sender::new(State::default());
        let faults = Faults::default();
        let (shared, queue) = (state.clone(), faults.clone());
        let tls = security.acceptor(&[b"h2", b"http/1.1"]);
        let secured = if tls.is_some() { "s" } else { "" };
        let listener = server::bind_to(addr, server::listen)?;
        let server = Server::start(listener, tls, move |stream| {
            let (state, faults) = (shared.clone(), queue.clone());
            state.send_modify(|state| state.connections += 1);
            async move {
                let service = hyper::service::service_fn(move |request| {
                    answer::answer(request, state.clone(), faults.clone())
                });
                // The error is the client's business: it went away, or it was cut off by a fault.
                let _ = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
        })?;
        Ok(Self { server, secured, state, faults })
    }

    /// Where it listens; [`start_on`](Self::start_on) comes back there.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// `http://127.0.0.1:PORT`, or `https` over TLS, without the path of the signal.
    pub fn endpoint(&self) -> String {
        format!("http{}://{}", self.secured, self.addr())
    }

    /// `grpc://127.0.0.1:PORT`, or `grpcs` over TLS.
    pub fn grpc_endpoint(&self) -> String {
        format!("grpc{}://{}", self.secured, self.addr())
    }

    /// Queues a fault. Each well-formed request takes one; the receiver accepts those after the
    /// last.
    pub fn inject(&self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The spans accepted so far, in the order received. A span that was sent twice is there twice.
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        self.state.borrow().spans.clone()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<OtlpRequest> {
        self.state.borrow().requests.clone()
    }

    /// How many connections were accepted so far; those over TLS count once they shook hands.
    pub fn connections(&self) -> usize {
        self.state.borrow().connections
    }

    /// Waits until the accepted spans are as wanted.
    ///
    /// # Panics
    /// When they are not within `limit`. The message names `what` and what the requests came to.
    pub async fn until(
        &self,
        what: impl Display,
        limit: Duration,
        wanted: impl Fn(&[ReceivedSpan]) -> bool,
    ) {
        if !wait::holds(&self.state, |state| wanted(&state.spans), limit).await {
            let requests = self.requests();
            let outcomes: Vec<_> = requests.iter().map(|request| &request.outcome).collect();
            panic!("{what} did not come within {limit:?}; requests: {outcomes:?}");
        }
    }

    /// Closes the listener and every connection, and returns the spans.
    pub async fn stop(self) -> Vec<ReceivedSpan> {
        self.server.stop().await;
        self.state.send_replace(State::default()).spans
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::http1::PROTOBUF;
    use super::*;
    use crate::authority::{Authority, ServerCertificate};
    use crate::tls;
    use crate::wait::until_async;
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
            status: Some(Status { message: "no route to host".to_owned(), code: 2 }),
            ..Span::default()
        }
    }

    /// A request with these spans.
    pub(crate) fn export(spans: Vec<Span>) -> Vec<u8> {
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }],
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
        collector.until("a span", SOON, |spans| spans.len() == 1).await;
        let span = &collector.spans()[0];
        assert_eq!(span.trace_id, "ab".repeat(16));
        assert_eq!((span.kind, span.parent_span_id.as_deref()), ("server", None));
        assert_eq!(span.error.as_deref(), Some("no route to host"));
    }

    #[tokio::test]
    async fn what_breaks_the_protocol_is_refused_and_kept_as_a_request() {
        let collector = OtlpReceiver::start().await.expect("a port");
        let no_id = Span { trace_id: vec![0; 16], ..span("zero trace id") };
        for (content_type, body, expected) in [
            ("application/json", export(vec![span("a")]), 415),
            (PROTOBUF, vec![0xff; 3], 400),
            (PROTOBUF, export(vec![no_id]), 400),
        ] {
            let (head, _) =
                post(&collector.endpoint(), content_type, body).await.expect("an answer");
            assert_eq!(head.status, expected);
        }
        assert_eq!(collector.requests().len(), 3);
        assert_eq!(collector.spans(), []);
    }

    #[tokio::test]
    async fn faults_happen_once_each_and_in_order() {
        let collector = OtlpReceiver::start().await.expect("a port");
        collector.inject(Fault::Status { code: 503, retry_after: Some(Duration::from_secs(7)) });
        collector.inject(Fault::Partial { rejected: 1 });
        collector.inject(Fault::Reset);
        let two = || export(vec![span("kept"), span("last")]);

        let (head, _) = post(&collector.endpoint(), PROTOBUF, two()).await.expect("an answer");
        assert_eq!(
            (head.status.as_u16(), &head.headers[RETRY_AFTER]),
            (503, &"7".parse().unwrap())
        );
        assert_eq!(collector.spans(), []);

        let (_, body) = post(&collector.endpoint(), PROTOBUF, two()).await.expect("an answer");
        let partial = (ExportTraceServiceResponse::decode(body).unwrap()).partial_success;
        assert_eq!(partial.map(|partial| partial.rejected_spans), Some(1));
        assert_eq!(collector.spans().len(), 1);

        assert!(post(&collector.endpoint(), PROTOBUF, two()).await.is_err());
        assert_eq!(collector.spans().len(), 3);

        let (head, _) = post(&collector.endpoint(), PROTOBUF, two()).await.expect("an answer");
        assert_eq!(head.status, StatusCode::OK);
    }

    /// A unary call over HTTP/2, with TLS or without: the head, the message and the trailers.
    async fn call(
        io: impl server::Io + 'static,
        body: Vec<u8>,
    ) -> Result<(http::response::Parts, Bytes, http::HeaderMap), hyper::Error> {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await?;
        let driven = tokio::spawn(connection);
        let len = u32::try_from(body.len()).expect("a short message");
        let framed = [&[0], &len.to_be_bytes()[..], &body].concat();
        let uri = "http://localhost/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        let request = Request::post(uri)
            .header(CONTENT_TYPE, "application/grpc")
            .header(http::header::TE, "trailers")
            .body(Full::<Bytes>::from(framed))
            .expect("a valid request");
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?;
        driven.abort();
        let trailers = body.trailers().cloned().unwrap_or_default();
        Ok((head, body.to_bytes(), trailers))
    }

    #[expect(clippy::disallowed_methods, reason = "the test is the client, on loopback")]
    async fn connect(collector: &OtlpReceiver) -> tokio::net::TcpStream {
        (tokio::net::TcpStream::connect(collector.addr()).await).expect("a connection")
    }

    #[tokio::test]
    async fn grpc_is_accepted_and_refused_as_the_protocol_says() {
        let collector = OtlpReceiver::start().await.expect("a port");
        let two = || export(vec![span("kept"), span("last")]);
        let (_, message, trailers) = call(connect(&collector).await, two()).await.expect("h2");
        assert_eq!(&message[..], [0; 5]);
        assert_eq!(trailers["grpc-status"], "0");
        assert_eq!(collector.spans().len(), 2);

        collector.inject(Fault::Grpc {
            code: Code::ResourceExhausted,
            retry_after: Some(Duration::new(7, 5)),
        });
        collector.inject(Fault::Partial { rejected: 1 });
        collector.inject(Fault::Reset);
        let (head, message, _) = call(connect(&collector).await, two()).await.expect("h2");
        assert!(message.is_empty());
        assert_eq!(head.headers["grpc-status"], "8");
        // google.rpc.Status { 8, "injected", [Any { …RetryInfo, { Duration { 7, 5 } } }] }
        let details = head.headers["grpc-status-details-bin"].as_bytes();
        let details =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD_NO_PAD, details)
                .expect("base64");
        assert!(details.starts_with(&[8, 8, 18, 8]), "{details:?}");
        assert!(details.ends_with(&[18, 6, 10, 4, 8, 7, 16, 5]), "{details:?}");
        assert_eq!(collector.spans().len(), 2);

        let (_, message, trailers) = call(connect(&collector).await, two()).await.expect("h2");
        let partial = ExportTraceServiceResponse::decode(&message[5..]).unwrap();
        let rejected = partial.partial_success.map(|partial| partial.rejected_spans);
        assert_eq!((rejected, &trailers["grpc-status"]), (Some(1), &"0".parse().unwrap()));
        assert!(call(connect(&collector).await, two()).await.is_err());
        assert_eq!(collector.spans().len(), 5);

        let (head, ..) = call(connect(&collector).await, vec![0xff; 3]).await.expect("h2");
        assert_eq!(head.headers["grpc-status"], "3");
    }

    #[tokio::test]
    async fn over_tls_both_protocols_serve_clients_that_trust_it() {
        let authority = Authority::new();
        let identity = authority.server(ServerCertificate::Good);
        let collector = OtlpReceiver::start_with(server::ANY_PORT, Security::Tls(&identity))
            .await
            .expect("a port");
        assert!(collector.endpoint().starts_with("https://127.0.0.1:"));
        assert!(collector.grpc_endpoint().starts_with("grpcs://127.0.0.1:"));
        let stream = connect(&collector).await;
        let tls = tls::connect(stream, &authority, None, &[b"h2"]).await.expect("trusted");
        assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        call(tls, export(vec![span("a")])).await.expect("h2 over TLS");
        assert_eq!(collector.spans().len(), 1);
        let stream = connect(&collector).await;
        assert!(tls::connect(stream, &Authority::new(), None, &[]).await.is_err());
    }

    #[tokio::test]
    async fn a_hanging_collector_can_be_restarted_on_its_address() {
        let first = OtlpReceiver::start().await.expect("a port");
        let (addr, endpoint) = (first.addr(), first.endpoint());
        first.inject(Fault::Hang);
        let body = export(vec![span("a")]);
        tokio::select! {
            answer = post(&endpoint, PROTOBUF, body.clone()) => panic!("{answer:?}"),
            () = until_async("the request", SOON, async || first.requests().len() == 1) => {}
        }
        assert_eq!(first.stop().await, []);
        let second = OtlpReceiver::start_on(addr).await.expect("the same port");
        post(&second.endpoint(), PROTOBUF, body).await.expect("an answer");
        assert_eq!(second.stop().await.len(), 1);
    }
}
