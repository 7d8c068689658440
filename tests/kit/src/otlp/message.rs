//! The bytes of an export request to spans.

use super::span::{self, ReceivedSpan};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use std::io::Read as _;

/// A request that is longer than this after decompression is a mistake.
const LONGEST: u64 = 64 * 1024 * 1024;

/// A request or message that was compressed with gzip.
pub(super) fn gunzip(compressed: &[u8]) -> Result<Vec<u8>, String> {
    let mut message = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(compressed).take(LONGEST);
    match decoder.read_to_end(&mut message) {
        Ok(_) if message.len() as u64 == LONGEST => Err(format!("longer than {LONGEST} bytes")),
        Ok(_) => Ok(message),
        Err(error) => Err(format!("gzip: {error}")),
    }
}

/// The spans of an export request.
pub(super) fn spans(message: &[u8]) -> Result<Vec<ReceivedSpan>, String> {
    let request = ExportTraceServiceRequest::decode(message).map_err(|error| error.to_string())?;
    span::received(request)
}
