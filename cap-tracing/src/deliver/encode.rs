//! A batch as the bytes of one request, made once however often it is sent.

use bytes::{BufMut as _, Bytes, BytesMut};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message as _;

use crate::endpoint::Protocol;

/// A gRPC message begins with a flag, whether it is compressed, and its length in four bytes (gRPC over HTTP/2, Requests).
pub(super) const GRPC_PREFIX: usize = 5;

pub(super) struct Encoder {
    pub(super) protocol: Protocol,
    resource: ResourceAttributesWithSchema,
}

impl Encoder {
    pub(super) fn new(protocol: Protocol, resource: &Resource) -> Self {
        Encoder {
            protocol,
            resource: resource.into(),
        }
    }

    pub(super) fn encode(&self, batch: Vec<SpanData>) -> Bytes {
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        let length = request.encoded_len();
        let mut bytes = BytesMut::with_capacity(GRPC_PREFIX + length);
        if self.protocol == Protocol::Grpc {
            bytes.put_u8(0);
            // A request past 4 GiB is past every collector's limit as well, and is refused there.
            bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        }
        request.encode(&mut bytes).expect("the buffer grows");
        bytes.freeze()
    }
}
