//! HTTP GETs from a real program's or an exposition's reader, on loopback.

use bytes::Bytes;
use http::header::ACCEPT;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// A plain HTTP client: a scraper connects as any client does.
#[expect(clippy::disallowed_types, reason = "the guard is for what we send, not for who asks us")]
pub type Http<B> = Client<hyper_util::client::legacy::connect::HttpConnector, B>;

/// An HTTP client that keeps its connection.
#[derive(Clone, Debug)]
pub struct Get(Http<Empty<Bytes>>);

impl Default for Get {
    fn default() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }
}

impl Get {
    /// The whole answer, or the error as text.
    pub async fn get(&self, uri: Uri, accept: &str) -> Result<Response<Bytes>, String> {
        let request =
            Request::get(uri).header(ACCEPT, accept).body(Empty::new()).expect("a valid request");
        let answer = self.0.request(request).await;
        let (head, body) = answer.map_err(|error| with_source(&error))?.into_parts();
        let body = body.collect().await.map_err(|error| with_source(&error))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
