//! An export request: the same line and headers every time, and one batch as its body.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::chunked_body::ChunkedBody;
use crate::config::{Compression, Config};

/// What is the same in every request.
pub(super) struct Template {
    uri: Uri,
    headers: HeaderMap,
}

impl Template {
    /// `encoding` is the header that says how the body is compressed.
    pub(super) fn new(config: &Config, content_type: &'static str, encoding: HeaderName) -> Self {
        let mut headers = config.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if config.compression == Compression::Gzip {
            headers.insert(encoding, HeaderValue::from_static("gzip"));
        }
        let agent = concat!("cap-tracing/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        Self { uri: config.endpoint.uri().clone(), headers }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(super) fn with_body(&self, body: Bytes) -> Request<ChunkedBody> {
        let mut request = Request::new(ChunkedBody::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}
