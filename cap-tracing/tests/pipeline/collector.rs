//! A collector with scripted answers: OTLP/HTTP and OTLP/gRPC on one port, plain or with TLS.

use std::collections::VecDeque;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use flate2::read::GzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// The answer to one request. Without a script, the collector accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// An HTTP status.
    Status(u16),
    /// 503 with `Retry-After`.
    RetryAfter(&'static str),
    /// A gRPC status, in the headers of an answer without a message.
    Grpc(u8),
    /// `RESOURCE_EXHAUSTED` with these bytes of details.
    Exhausted(&'static str),
    /// Accepts all spans but this number.
    Reject(i64),
    /// Accepts the spans, and cuts the connection in the middle of the answer.
    Cut,
    /// Accepts the spans, and answers after this time.
    Late(Duration),
    /// Never answers.
    Silence,
}

#[derive(Clone, Default)]
pub(crate) struct Collector {
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    heads: Arc<Mutex<Vec<http::request::Parts>>>,
    pub(crate) answers: Arc<Mutex<VecDeque<Answer>>>,
    connections: Arc<AtomicUsize>,
    ended: Arc<Mutex<Option<mpsc::Receiver<()>>>>,
    stop: Arc<Notify>,
}

impl Collector {
    /// Starts on a free port, on a thread with its own runtime.
    pub(crate) fn start(answers: impl IntoIterator<Item = Answer>) -> (Self, SocketAddr) {
        Self::start_with(answers, None)
    }

    pub(crate) fn start_with(
        answers: impl IntoIterator<Item = Answer>,
        tls: Option<TlsAcceptor>,
    ) -> (Self, SocketAddr) {
        let collector = Self::default();
        collector.answers.lock().unwrap().extend(answers);
        let address = collector.listen((Ipv4Addr::LOCALHOST, 0).into(), tls);
        (collector, address)
    }

    /// Closes the listener and every connection, like a collector that restarts.
    pub(crate) fn stop(&self) {
        self.stop.notify_one();
        let ended = self.ended.lock().unwrap().take().unwrap();
        ended.recv().unwrap_err();
    }

    /// Serves on `address`, until the process ends or [`stop`](Self::stop) is called.
    pub(crate) fn listen(&self, address: SocketAddr, tls: Option<TlsAcceptor>) -> SocketAddr {
        let serving = self.clone();
        let (bound, listening) = mpsc::channel();
        let (running, ended) = mpsc::channel();
        *self.ended.lock().unwrap() = Some(ended);
        std::thread::spawn(move || {
            // Dropped last, when the runtime has closed its connections.
            let _running: mpsc::Sender<()> = running;
            // A subscriber under test must not see the events of this server's HTTP/2.
            let silent = tracing::subscriber::NoSubscriber::default();
            let _silent = tracing::subscriber::set_default(silent);
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind(address).await.unwrap();
                bound.send(listener.local_addr().unwrap()).unwrap();
                loop {
                    let accepted = tokio::select! {
                        accepted = listener.accept() => accepted,
                        () = serving.stop.notified() => return,
                    };
                    let (stream, _) = accepted.unwrap();
                    let (collector, tls) = (serving.clone(), tls.clone());
                    collector.connections.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(async move {
                        match tls {
                            None => collector.serve(stream).await,
                            // A client that does not trust this collector leaves.
                            Some(tls) => match tls.accept(stream).await {
                                Ok(stream) => collector.serve(stream).await,
                                Err(_refused) => {}
                            },
                        }
                    });
                }
            });
        });
        listening.recv().unwrap()
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let service = hyper::service::service_fn(|request| self.clone().answer(request));
        let server = auto::Builder::new(TokioExecutor::new());
        // A connection that was cut is an error.
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(
        self,
        request: Request<Incoming>,
    ) -> io::Result<Response<BoxBody<Bytes, io::Error>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let grpc = head.headers[CONTENT_TYPE] == "application/grpc";
        let (gzip, message) = if grpc {
            let length = u32::from_be_bytes(body[1..5].try_into().unwrap());
            assert_eq!(length as usize, body.len() - 5);
            let encoding = head.headers.get("grpc-encoding");
            assert_eq!(encoding.is_some(), body[0] == 1);
            (encoding, body.slice(5..))
        } else {
            (head.headers.get(CONTENT_ENCODING), body)
        };
        let kept = match gzip {
            None => message,
            Some(encoding) => {
                assert_eq!(encoding, "gzip");
                let mut kept = Vec::new();
                GzDecoder::new(&*message).read_to_end(&mut kept).unwrap();
                kept.into()
            }
        };
        self.heads.lock().unwrap().push(head);
        let keep = || {
            let request = ExportTraceServiceRequest::decode(kept).unwrap();
            self.requests.lock().unwrap().push(request);
        };
        let answer = self.answers.lock().unwrap().pop_front();
        match answer {
            None => {
                keep();
                Ok(accepted(grpc, 0))
            }
            Some(Answer::Reject(rejected)) => {
                keep();
                Ok(accepted(grpc, rejected))
            }
            Some(Answer::Cut) => {
                keep();
                Ok(Response::new(Cut.boxed()))
            }
            Some(Answer::Status(status)) => Ok(with(status, &[])),
            Some(Answer::RetryAfter(wait)) => Ok(with(503, &[("retry-after", wait)])),
            Some(Answer::Grpc(code)) => Ok(with(200, &[("grpc-status", &code.to_string())])),
            Some(Answer::Exhausted(details)) => {
                Ok(with(200, &[("grpc-status", "8"), ("grpc-status-details-bin", details)]))
            }
            Some(Answer::Late(by)) => {
                keep();
                tokio::time::sleep(by).await;
                Ok(accepted(grpc, 0))
            }
            Some(Answer::Silence) => std::future::pending().await,
        }
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// The numbers of requests and of connections.
    pub(crate) fn seen(&self) -> (usize, usize) {
        let requests = self.heads.lock().unwrap().len();
        (requests, self.connections.load(Ordering::SeqCst))
    }

    pub(crate) fn path_and_headers(&self) -> (String, HeaderMap) {
        let heads = self.heads.lock().unwrap();
        let last = heads.last().unwrap();
        (last.uri.path().to_owned(), last.headers.clone())
    }
}

fn accepted(grpc: bool, rejected_spans: i64) -> Response<BoxBody<Bytes, io::Error>> {
    let answer = ExportTraceServiceResponse {
        partial_success: (rejected_spans > 0).then(|| ExportTracePartialSuccess {
            rejected_spans,
            error_message: "too old".to_owned(),
        }),
    };
    if !grpc {
        let body = Full::from(answer.encode_to_vec());
        return Response::new(body.map_err(|never| match never {}).boxed());
    }
    let mut message = BytesMut::new();
    message.put_u8(0);
    message.put_u32(answer.encoded_len() as u32);
    answer.encode(&mut message).unwrap();
    let ok = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    let body = Full::new(message.freeze()).with_trailers(async { Some(Ok(ok)) });
    Response::new(body.map_err(|never| match never {}).boxed())
}

fn with(status: u16, headers: &[(&'static str, &str)]) -> Response<BoxBody<Bytes, io::Error>> {
    let none = Full::default().map_err(|never| match never {}).boxed();
    let mut response = Response::new(none);
    *response.status_mut() = status.try_into().unwrap();
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}

/// A body that breaks off.
struct Cut;

impl Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}
