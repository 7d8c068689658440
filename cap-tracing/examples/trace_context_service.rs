//! A service for the W3C's test harness for Trace Context. It posts what the harness asks for, with
//! the context.
//!
//! Run `cargo run --example trace_context_service -- --listen 127.0.0.1:7777`, then, in the
//! harness's folder, `SPEC_LEVEL=2 STRICT_LEVEL=2 python3 test.py http://127.0.0.1:7777/test`. With
//! `--export http://HOST:4318` the spans are sent there.
//!
//! The case `test_propagates_random_flag` fails: it expects a new parent-id under an unsampled
//! parent. This service passes an unsampled context on unchanged, as one that records nothing may.

use std::error::Error;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, Request, StatusCode, Uri};
use axum::routing::post;
use cap_egress::{Connector, Guard, Policy, Trust};
use cap_tracing::{Audience, Config, SampleRate, TraceLayer, Tracer};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
#[allow(dead_code, reason = "a test takes the router of this file")]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (listen, export) = match args[..] {
        ["--listen", listen] => (listen, None),
        ["--listen", listen, "--export", endpoint] => (listen, Some(endpoint)),
        _ => return Err("usage: trace_context_service --listen ADDR [--export ENDPOINT]".into()),
    };
    let connector = Connector::new(Guard::new(Policy::default()), Trust::system()?);
    // Without a collector the spans are made and go nowhere: a service that only passes headers on
    // would test little.
    let mut config = Config::new(export.unwrap_or("http://127.0.0.1:9").parse()?);
    config.sample_rate = SampleRate::ALL;
    let tracer = Tracer::start(config, connector.clone())?;
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(listener, router(tracer, connector)).await?;
    Ok(())
}

/// A service that answers `POST` on any path.
pub(crate) fn router(tracer: Tracer, connector: Connector) -> Router {
    let calls = Calls {
        client: Client::builder(TokioExecutor::new()).build(connector),
        tracer: tracer.clone(),
    };
    Router::new().route("/{*path}", post(forward)).with_state(calls).layer(TraceLayer::new(tracer))
}

#[derive(Clone)]
struct Calls {
    client: Client<Connector, Full<Bytes>>,
    tracer: Tracer,
}

/// Takes `[{"url": …, "arguments": [ … ]}, …]` and posts the arguments of each element to its URL,
/// in turn.
async fn forward(
    State(calls): State<Calls>,
    body: Bytes,
) -> Result<StatusCode, (StatusCode, String)> {
    let wrong = |error: Failure| (StatusCode::BAD_REQUEST, error.to_string());
    let Ok(Value::Array(elements)) = serde_json::from_slice(&body) else {
        return Err(wrong("write an array of objects with url and arguments".into()));
    };
    for element in elements {
        calls.post(&element).await.map_err(wrong)?;
    }
    Ok(StatusCode::OK)
}

impl Calls {
    async fn post(&self, element: &Value) -> Result<(), Failure> {
        let uri: Uri = element["url"].as_str().ok_or("an element without url")?.parse()?;
        let arguments = element.get("arguments").ok_or("an element without arguments")?;
        let span = self.tracer.external_call("harness", "callback", &Method::POST, &uri);
        let mut request = Request::post(uri)
            .header("content-type", "application/json")
            .body(Full::from(arguments.to_string()))?;
        span.inject(request.headers_mut(), Audience::Internal);
        let response = span.scope(self.client.request(request)).await?;
        span.record_status(response.status());
        response.into_body().collect().await?;
        Ok(())
    }
}
