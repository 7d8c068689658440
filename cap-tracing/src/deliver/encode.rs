//! A span as bytes, made where it ends, and a batch of them as the bytes of one request, made once however often it is sent.
//!
//! What was recorded is written where it goes. The messages of `opentelemetry-proto` would first have to be made of it, and that is most
//! of the work of an exporter.

#[cfg(test)]
mod against_prost;
mod protobuf;
mod span;

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use flate2::write::GzEncoder;
use opentelemetry::KeyValue;

use crate::config::{Compression, Config};
use crate::endpoint::Protocol;
use crate::queue::{Batch, Queue};
use crate::recorder::Record;
use protobuf::Protobuf as _;

/// A gRPC message begins with a flag, whether it is compressed, and its length in four bytes (gRPC over HTTP/2, Requests).
pub(super) const GRPC_PREFIX: usize = 5;
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

    /// A batch of spans as [`span`] writes them, after the room; its memory goes back to the queue when nobody needs it any more.
    pub(super) fn encode(&self, mut batch: Batch, queue: &Arc<Queue>) -> Bytes {
        let prefix = self.prefix();
        let begin = self.enclose(&mut batch.bytes, self.room());
        let (mut bytes, begin) = match self.compression {
            Compression::None => (batch.bytes, begin - prefix),
            Compression::Gzip => {
                let mut gzip = GzEncoder::new(vec![0; prefix], flate2::Compression::fast());
                let written = gzip.write_all(&batch.bytes[begin..]);
                let gzipped = written.and_then(|()| gzip.finish());
                queue.give(batch.bytes);
                (gzipped.expect("a vector grows"), 0)
            }
        };
        if self.protocol == Protocol::Grpc {
            let message = &mut bytes[begin..];
            message[0] = u8::from(self.compression == Compression::Gzip);
            // A message past 4 GiB is past every collector's limit as well, and is refused there.
            let length = u32::try_from(message.len() - GRPC_PREFIX).unwrap_or(u32::MAX);
            message[1..GRPC_PREFIX].copy_from_slice(&length.to_be_bytes());
        }
        let queue = Arc::clone(queue);
        Bytes::from_owner(Request {
            bytes,
            begin,
            queue,
        })
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

/// The memory of a batch while it is sent.
struct Request {
    bytes: Vec<u8>,
    begin: usize,
    queue: Arc<Queue>,
}

impl AsRef<[u8]> for Request {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[self.begin..]
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.queue.give(std::mem::take(&mut self.bytes));
    }
}
