//! instant-acme's way to the provider: every request is one external call, under the label of its endpoint.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// The calls of one operation. Clones are of the same one.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    outbound: Outbound,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug)]
struct Seen {
    /// What each URL is for: an answer that names it says so.
    endpoints: HashMap<String, Endpoint>,
    /// Why the last call failed.
    failure: Option<Failure>,
}

impl Calls {
    pub(super) fn new(outbound: Outbound, directory: String) -> Self {
        let seen = Seen {
            endpoints: HashMap::from([(directory, Endpoint::Directory)]),
            failure: None,
        };
        Calls {
            outbound,
            seen: Arc::new(Mutex::new(seen)),
        }
    }

    /// What an error means: mostly that of the call before it, which has the class and the patience that were asked for.
    pub(super) fn failure(&self, error: &Error) -> Failure {
        if let Some(failure) = self.seen().failure.take() {
            return failure;
        }
        let failure = |class| Failure::new(class, format!("{PROVIDER}: {error}"));
        match error {
            Error::Timeout(_) => failure(ErrorClass::IoTransient),
            // Of a validation, whose answer was a good one.
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
        let url = head.uri.to_string();
        let endpoint = self.seen().endpoints.get(&url).copied();
        let endpoint = endpoint.unwrap_or(Endpoint::Unknown);
        let request = Request::from_parts(head, Full::new(body.to_bytes()));
        let outcome = self
            .outbound
            .exchange(PROVIDER, endpoint.as_str(), request)
            .await;
        let mut seen = self.seen();
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
                let error = Error::Other(Box::new(failure.clone()));
                seen.failure = Some(failure);
                Err(error)
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What may end otherwise when it is tried again, whatever its status (RFC 8555, section 6.7): a nonce that was not taken, and
/// what could not be looked up.
fn class_of(problem: Option<&str>) -> Option<ErrorClass> {
    let kind = problem?.strip_prefix("urn:ietf:params:acme:error:")?;
    let may_pass = [
        "badNonce",
        "connection",
        "dns",
        "incorrectResponse",
        "serverInternal",
        "tls",
    ];
    may_pass.contains(&kind).then_some(ErrorClass::IoTransient)
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
        let Ok(body) = serde_json::from_slice::<Value>(response.body()) else {
            return;
        };
        let mut is = |url: Option<&str>, endpoint| {
            if let Some(url) = url {
                self.endpoints.insert(url.to_owned(), endpoint);
            }
        };
        let all = |list: &str| body[list].as_array().into_iter().flatten();
        match endpoint {
            Endpoint::Directory => {
                for (key, endpoint) in [
                    ("newNonce", Endpoint::NewNonce),
                    ("newAccount", Endpoint::NewAccount),
                    ("newOrder", Endpoint::NewOrder),
                    ("revokeCert", Endpoint::Revoke),
                ] {
                    is(body[key].as_str(), endpoint);
                }
            }
            Endpoint::NewOrder | Endpoint::Order | Endpoint::Finalize => {
                let order = response.headers().get(LOCATION);
                is(order.and_then(|url| url.to_str().ok()), Endpoint::Order);
                is(body["finalize"].as_str(), Endpoint::Finalize);
                is(body["certificate"].as_str(), Endpoint::Certificate);
                all("authorizations").for_each(|url| is(url.as_str(), Endpoint::Authorization));
            }
            Endpoint::Authorization => {
                all("challenges")
                    .for_each(|challenge| is(challenge["url"].as_str(), Endpoint::Challenge));
            }
            _ => {}
        }
    }
}
