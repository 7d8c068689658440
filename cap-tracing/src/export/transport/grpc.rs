//! One attempt over OTLP/gRPC: a unary call of the trace service (gRPC over HTTP/2).

mod code;
mod connection;
mod status;

use std::sync::{Mutex, PoisonError};

use bytes::{Buf as _, Bytes};
use cap_egress::Connector;
use http::header::TE;
use http::{HeaderName, StatusCode};
use http_body_util::{BodyExt as _, Limited};

use super::answer::{MAX_ANSWER, PartialSuccess, partial_success, refusal};
use super::failure::Failure;
use super::request::Template;
use crate::config::Config;
use crate::encode::GRPC_PREFIX;
use connection::Connection;
use status::Status;

const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

pub(super) struct Grpc {
    connector: Connector,
    template: Template,
    /// A connection is kept only after an answer has come on it, so a silent one is not reused.
    idle: Mutex<Option<Connection>>,
}

impl Grpc {
    pub(super) fn new(config: &Config, connector: &Connector) -> Self {
        Self {
            connector: connector.clone().with_alpn(&[b"h2"]),
            template: Template::new(config, "application/grpc", ENCODING)
                .with_header(TE, "trailers"),
            idle: Mutex::default(),
        }
    }

    pub(super) async fn attempt(&self, body: Bytes) -> Result<PartialSuccess, Failure> {
        let mut connection = self.connection().await?;
        let request = self.template.with_body(body);
        let response = connection.requests.send_request(request).await;
        let (head, body) = response.map_err(|error| Failure::no_answer(&error))?.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| Failure::no_answer(&*error))?;
        *self.idle() = Some(connection);

        // An answer without a message may have its status in the headers.
        let trailers = body.trailers().and_then(Status::of);
        match trailers.or_else(|| Status::of(&head.headers)) {
            Some(status) if status.is_ok() => {
                // The message is never compressed, since no request allows it.
                let mut message = body.to_bytes();
                message.advance(GRPC_PREFIX.min(message.len()));
                Ok(partial_success(message))
            }
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
        Connection::open(self.connector.clone(), self.template.uri()).await
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
