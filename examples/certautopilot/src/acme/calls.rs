//! instant-acme's HTTP client: every request is one external call, labeled with its endpoint.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::http::header::LOCATION;
use axum::http::{Request, Response};
use bytes::Bytes;
use cap_telemetry::names::ErrorClass;
use http_body_util::{BodyExt as _, Full};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use serde_json::Value;

use super::{Endpoint, PROVIDER};
use crate::failure::Failure;
use crate::outbound::Outbound;
use crate::sync::lock;

/// Members of answers that hold URLs, and the endpoint behind them.
const LINKS: [(&str, Endpoint); 7] = [
    ("newNonce", Endpoint::NewNonce),
    ("newAccount", Endpoint::NewAccount),
    ("newOrder", Endpoint::NewOrder),
    ("revokeCert", Endpoint::Revoke),
    ("authorizations", Endpoint::Authorization),
    ("finalize", Endpoint::Finalize),
    ("certificate", Endpoint::Certificate),
];

/// Problems that another attempt may not meet, whatever their status (RFC 8555, section 6.7).
const TRANSIENT: [&str; 6] =
    ["badNonce", "connection", "dns", "incorrectResponse", "serverInternal", "tls"];

/// The calls of one operation. Clones share what they have seen.
#[derive(Clone)]
pub(super) struct Calls {
    outbound: Outbound,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    /// The endpoint behind each URL that an answer named.
    endpoints: HashMap<String, Endpoint>,
    /// Why the last call failed.
    failure: Option<Failure>,
}

impl Calls {
    pub(super) fn new(outbound: Outbound, directory: String) -> Self {
        let endpoints = HashMap::from([(directory, Endpoint::Directory)]);
        let seen = Seen { endpoints, failure: None };
        Self { outbound, seen: Arc::new(Mutex::new(seen)) }
    }

    /// The failure that an error means: that of the last call, if it failed.
    pub(super) fn failure(&self, error: &Error) -> Failure {
        if let Some(failure) = lock(&self.seen).failure.take() {
            return failure;
        }
        let failure = |class| Failure::new(class, format!("{PROVIDER}: {error}"));
        match error {
            Error::Timeout(_) => failure(ErrorClass::IoTransient),
            // A successful answer may hold the problem of a validation.
            Error::Api(problem) => Failure {
                problem: problem.r#type.clone(),
                ..failure(class_of(problem.r#type.as_deref()).unwrap_or(ErrorClass::IoPermanent))
            },
            Error::Other(cause) => match cause.downcast_ref::<Failure>() {
                Some(known) => known.clone(),
                None => failure(ErrorClass::IoPermanent),
            },
            _ => failure(ErrorClass::IoPermanent),
        }
    }

    async fn send(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await;
        let endpoint = lock(&self.seen).endpoints.get(&head.uri.to_string()).copied();
        let endpoint = endpoint.unwrap_or(Endpoint::Unknown);
        let request = Request::from_parts(head, Full::new(body.to_bytes()));
        let outcome = self.outbound.exchange(PROVIDER, endpoint.as_str(), request).await;
        let mut seen = lock(&self.seen);
        match outcome {
            Ok((response, failure)) => {
                seen.failure = failure.map(|failure| Failure {
                    class: class_of(failure.problem.as_deref()).unwrap_or(failure.class),
                    ..failure
                });
                seen.learn(endpoint, &response);
                Ok(response.map(Full::new).into())
            }
            Err(failure) => {
                seen.failure = Some(failure.clone());
                Err(Error::Other(Box::new(failure)))
            }
        }
    }
}

fn class_of(problem: Option<&str>) -> Option<ErrorClass> {
    let kind = problem?.strip_prefix("urn:ietf:params:acme:error:")?;
    TRANSIENT.contains(&kind).then_some(ErrorClass::IoTransient)
}

impl HttpClient for Calls {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        Box::pin(self.clone().send(request))
    }
}

impl Seen {
    fn learn(&mut self, endpoint: Endpoint, response: &Response<Bytes>) {
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let location = response.headers().get(LOCATION).filter(|_| endpoint == Endpoint::NewOrder);
        let order = location.and_then(|url| url.to_str().ok()).map(|url| (url, Endpoint::Order));
        let named = LINKS.iter().flat_map(|(member, endpoint)| {
            let member = &body[*member];
            let urls = member.as_array().map_or(std::slice::from_ref(member), Vec::as_slice);
            urls.iter().filter_map(|url| Some((url.as_str()?, *endpoint)))
        });
        let challenges = body["challenges"].as_array().into_iter().flatten();
        let challenges = challenges
            .filter_map(|challenge| Some((challenge["url"].as_str()?, Endpoint::Challenge)));
        let urls = order.into_iter().chain(named).chain(challenges);
        self.endpoints.extend(urls.map(|(url, endpoint)| (url.to_owned(), endpoint)));
    }
}
