//! A batch as the bytes of one request, made once however often it is sent.

use std::io::Write as _;

use bytes::Bytes;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message as _;

use crate::config::{Compression, Config};
use crate::endpoint::Protocol;

/// A gRPC message begins with a flag, whether it is compressed, and its length in four bytes (gRPC over HTTP/2, Requests).
pub(super) const GRPC_PREFIX: usize = 5;

pub(super) struct Encoder {
    protocol: Protocol,
    compression: Compression,
    resource: ResourceAttributesWithSchema,
}

impl Encoder {
    pub(super) fn new(config: &Config, resource: &Resource) -> Self {
        Encoder {
            protocol: config.endpoint.protocol(),
            compression: config.compression,
            resource: resource.into(),
        }
    }

    pub(super) fn encode(&self, batch: Vec<SpanData>) -> Bytes {
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        // What precedes the message is filled in when its length is known.
        let mut bytes = match self.protocol {
            Protocol::Http => Vec::new(),
            Protocol::Grpc => vec![0; GRPC_PREFIX],
        };
        match self.compression {
            Compression::None => {
                bytes.reserve_exact(request.encoded_len());
                request.encode(&mut bytes).expect("a vector grows");
            }
            Compression::Gzip => {
                let mut gzip = GzEncoder::new(bytes, flate2::Compression::fast());
                let written = gzip.write_all(&request.encode_to_vec());
                bytes = written
                    .and_then(|()| gzip.finish())
                    .expect("a vector grows");
            }
        }
        if self.protocol == Protocol::Grpc {
            bytes[0] = u8::from(self.compression == Compression::Gzip);
            // A message past 4 GiB is past every collector's limit as well, and is refused there.
            let length = u32::try_from(bytes.len() - GRPC_PREFIX).unwrap_or(u32::MAX);
            bytes[1..GRPC_PREFIX].copy_from_slice(&length.to_be_bytes());
        }
        bytes.into()
    }
}
