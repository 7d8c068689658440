//! One attempt over OTLP/HTTP.

use bytes::Bytes;
use cap_egress::Connector;
use http::header::CONTENT_ENCODING;
use http_body_util::{BodyExt as _, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::answer::{MAX_ANSWER, PartialSuccess, partial_success, refusal};
use super::chunked_body::ChunkedBody;
use super::failure::Failure;
use super::request::Template;
use crate::config::Config;

pub(super) struct Http {
    client: Client<Connector, ChunkedBody>,
    template: Template,
}

impl Http {
    pub(super) fn new(config: &Config, connector: Connector) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            template: Template::new(config, "application/x-protobuf", CONTENT_ENCODING),
        }
    }

    pub(super) async fn attempt(&self, body: Bytes) -> Result<PartialSuccess, Failure> {
        let response = self.client.request(self.template.with_body(body)).await;
        let (head, body) = response.map_err(|error| Failure::no_answer(&error))?.into_parts();
        if !head.status.is_success() {
            return Err(refusal(head.status, &head.headers));
        }
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| Failure::no_answer(&*error))?;
        Ok(partial_success(body.to_bytes()))
    }
}
