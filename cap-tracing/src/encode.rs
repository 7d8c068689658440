//! Encodes a span where it ends, and a batch of spans as one export request.
//!
//! The record is written straight into OTLP's wire format. Building the messages of
//! `opentelemetry-proto` first would be most of an exporter's work.

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

/// A gRPC message begins with a compression flag and a length of four bytes (gRPC over HTTP/2,
/// Requests).
pub(crate) const GRPC_PREFIX: usize = 5;
/// The largest tag and length in front of a message that holds a batch.
const NESTED: usize = 11;

/// Appends the span as one element of `ScopeSpans.spans`.
pub(crate) fn span(out: &mut Vec<u8>, record: &Record) {
    span::span(out, 2, record);
}

pub(crate) struct Encoder {
    protocol: Protocol,
    compression: Compression,
    /// The fields `ResourceSpans.resource` and `ScopeSpans.scope`, the same in every request.
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
            // Names the library that made the spans.
            scope.bytes(1, b"cap-tracing");
            scope.bytes(2, env!("CARGO_PKG_VERSION").as_bytes());
        });
        Self {
            protocol: config.endpoint.protocol(),
            compression: config.compression,
            resource,
            scope,
        }
    }

    /// The room that a batch leaves free in front of its spans. It holds the headers, which contain
    /// the length of the spans and are therefore written last.
    pub(crate) fn room(&self) -> usize {
        self.prefix() + 2 * NESTED + self.resource.len() + self.scope.len()
    }

    /// Makes the request from a batch of spans, each written by [`span`], behind
    /// [`room`](Self::room).
    pub(crate) fn encode(&self, mut batch: Batch) -> Bytes {
        let prefix = self.prefix();
        let mut begin = self.enclose(&mut batch.bytes, self.room());
        if self.compression == Compression::Gzip {
            let mut gzip = GzEncoder::new(vec![0; prefix], flate2::Compression::fast());
            let written = gzip.write_all(&batch.bytes[begin..]);
            let mut gzipped = written.and_then(|()| gzip.finish()).expect("a vector grows");
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

    /// Writes the headers of the enclosing messages in front of the spans, and returns where they
    /// begin.
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
