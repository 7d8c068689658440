//! One attempt over OTLP/gRPC: a unary call of the trace service (gRPC over HTTP/2).

mod connection;
mod status;

use std::sync::{Mutex, PoisonError};

use bytes::{Buf as _, Bytes};
use cap_egress::Connector;
use http::header::{CONTENT_TYPE, TE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;

use super::failure::Failure;
use super::http::refusal;
use super::pieces::Pieces;
use crate::config::{Compression, Config};
use crate::deliver::encode::GRPC_PREFIX;
use connection::Connection;
use status::Status;

pub(super) struct Grpc {
    connector: Connector,
    uri: Uri,
    headers: HeaderMap,
    /// A connection is put back only after an answer has come on it, so that one on which nothing comes is not used again.
    idle: Mutex<Option<Connection>>,
}

impl Grpc {
    pub(super) fn new(config: &Config, connector: &Connector) -> Self {
        let mut headers = HeaderMap::from_iter(config.headers.iter().cloned());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        if config.compression == Compression::Gzip {
            headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
        }
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(USER_AGENT, HeaderValue::from_static(super::USER_AGENT));
        Grpc {
            connector: connector.clone().with_alpn(&[b"h2"]),
            uri: config.endpoint.uri().clone(),
            headers,
            idle: Mutex::default(),
        }
    }

    pub(super) async fn attempt(&self, body: Bytes) -> Result<ExportTracePartialSuccess, Failure> {
        let mut connection = self.connection().await?;
        let mut request = Request::new(Pieces::of(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let response = connection.requests.send_request(request).await;
        let (head, body) = response
            .map_err(|error| Failure::no_answer(&error))?
            .into_parts();
        let body = Limited::new(body, super::LONGEST_ANSWER).collect().await;
        let body = body.map_err(|error| Failure::no_answer(&*error))?;
        *self.idle() = Some(connection);

        // An answer without a message may have its status in the head.
        let trailers = body.trailers().and_then(Status::of);
        match trailers.or_else(|| Status::of(&head.headers)) {
            Some(status) if status.is_ok() => Ok(partial_success(body.to_bytes())),
            Some(status) => Err(status.into_failure()),
            None if head.status != StatusCode::OK => Err(refusal(head.status, &head.headers)),
            None => Err(Failure::permanent(
                "answered without a gRPC status; is it an OTLP/gRPC receiver?",
            )),
        }
    }

    async fn connection(&self) -> Result<Connection, Failure> {
        let kept = self.idle().take();
        if let Some(mut kept) = kept
            && kept.requests.ready().await.is_ok()
        {
            return Ok(kept);
        }
        Connection::open(self.connector.clone(), &self.uri).await
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The spans were accepted already: an answer that cannot be read rejects none of them. It is never compressed, since nothing
/// said that it may be.
fn partial_success(mut message: Bytes) -> ExportTracePartialSuccess {
    message.advance(GRPC_PREFIX.min(message.len()));
    let answer = ExportTraceServiceResponse::decode(message).unwrap_or_default();
    answer.partial_success.unwrap_or_default()
}
