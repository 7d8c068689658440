//! A span as bytes, made where it ends, and a batch of them as the bytes of one request, made once however often it is sent.
//!
//! What was recorded is written where it goes. The messages of `opentelemetry-proto` would first have to be made of it, and that is most
//! of the work of an exporter.

#[cfg(test)]
mod against_prost;
mod protobuf;
mod span;

use std::io::Write as _;

use bytes::Bytes;
use flate2::write::GzEncoder;
use opentelemetry::KeyValue;

use crate::batch::Batch;
use crate::config::{Compression, Config};
use crate::endpoint::Protocol;
use crate::record::Record;
use protobuf::Protobuf as _;

/// A gRPC message begins with a flag, whether it is compressed, and its length in four bytes (gRPC over HTTP/2, Requests).
pub(crate) const GRPC_PREFIX: usize = 5;
/// The tag and length of a message at most, where its length is that of a batch.
const NESTED: usize = 11;

/// `ScopeSpans.spans`: one of them.
pub(crate) fn span(out: &mut Vec<u8>, record: &Record) {
    span::span(out, 2, record);
}

pub(crate) struct Encoder {
    protocol: Protocol,
    compression: Compression,
    /// `ResourceSpans.resource`, and `ScopeSpans.scope`: fields that are the same in every request.
    resource: Vec<u8>,
    scope: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new(config: &Config) -> Self {
        let mut resource = Vec::new();
        resource.message::<2>(1, |resource| {
            for (key, value) in &config.resource {
                span::attribute(resource, 1, &KeyValue::new(key.clone(), value.clone()));
            }
        });
        let mut scope = Vec::new();
        scope.message::<1>(1, |scope| {
            // Says in every span who made it.
            scope.bytes(1, b"cap-tracing");
            scope.bytes(2, env!("CARGO_PKG_VERSION").as_bytes());
        });
        Encoder {
            protocol: config.endpoint.protocol(),
            compression: config.compression,
            resource,
            scope,
        }
    }

    /// What precedes the spans says how long they are, so it is put in front of them when they have been written, and takes so many bytes
    /// at most.
    pub(crate) fn room(&self) -> usize {
        self.prefix() + 2 * NESTED + self.resource.len() + self.scope.len()
    }

    /// The request for a batch of spans, each written by [`span`], behind [`room`](Self::room).
    pub(crate) fn encode(&self, mut batch: Batch) -> Bytes {
        let prefix = self.prefix();
        let mut begin = self.enclose(&mut batch.bytes, self.room());
        if self.compression == Compression::Gzip {
            let mut gzip = GzEncoder::new(vec![0; prefix], flate2::Compression::fast());
            let written = gzip.write_all(&batch.bytes[begin..]);
            let mut gzipped = written
                .and_then(|()| gzip.finish())
                .expect("a vector grows");
            self.write_prefix(&mut gzipped);
            return gzipped.into();
        }
        begin -= prefix;
        self.write_prefix(&mut batch.bytes[begin..]);
        Bytes::from_owner(Request { batch, begin })
    }

    fn write_prefix(&self, message: &mut [u8]) {
        if self.protocol == Protocol::Grpc {
            message[0] = u8::from(self.compression == Compression::Gzip);
            // A message past 4 GiB exceeds every collector's limit, and the collector refuses it.
            let length = u32::try_from(message.len() - GRPC_PREFIX).unwrap_or(u32::MAX);
            message[1..GRPC_PREFIX].copy_from_slice(&length.to_be_bytes());
        }
    }

    fn prefix(&self) -> usize {
        match self.protocol {
            Protocol::Http => 0,
            Protocol::Grpc => GRPC_PREFIX,
        }
    }

    /// Puts the heads of the messages that the spans are in before them, and says where they begin.
    fn enclose(&self, bytes: &mut [u8], spans: usize) -> usize {
        let mut begin = spans;
        for (field, first) in [(2, &self.scope), (1, &self.resource)] {
            begin -= first.len();
            bytes[begin..begin + first.len()].copy_from_slice(first);
            let length = bytes.len() - begin;
            let mut head = Vec::with_capacity(NESTED);
            head.push(field << 3 | 2);
            head.varint(length as u64);
            begin -= head.len();
            bytes[begin..begin + head.len()].copy_from_slice(&head);
        }
        begin
    }
}

/// A batch while it is sent.
struct Request {
    batch: Batch,
    begin: usize,
}

impl AsRef<[u8]> for Request {
    fn as_ref(&self) -> &[u8] {
        &self.batch.bytes[self.begin..]
    }
}
