//! Sends one encoded batch, again and again while that may help.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cap_egress::Connector;
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::sync::watch;

use crate::config::Config;
use crate::stats::Counts;
use crate::stop::{Deadline, passed};

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// As good as for ever, and safe to add to an instant.
const LONGEST_RETRY: Duration = Duration::from_secs(365 * 24 * 3600);
/// An answer to an export is a few bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// What became of a batch.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The collector took it, all but `rejected` spans.
    Accepted { rejected: u64, message: String },
    /// It was given up.
    Failed(String),
}

/// The HTTP client that the encoder is given. To the encoder every batch is delivered; what really happened is the
/// [`outcome`](Transport::outcome), so that retries, deadlines and accounting are decided in one place.
#[derive(Clone)]
pub(super) struct Transport(Arc<Inner>);

struct Inner {
    client: Client<Connector, Full<Bytes>>,
    config: Config,
    headers: HeaderMap,
    counts: Arc<Counts>,
    stopping: watch::Receiver<Deadline>,
    outcome: Mutex<Outcome>,
}

/// Why one attempt failed.
struct Failure {
    message: String,
    retry: Option<Retry>,
}

/// Trying again may help, not before `after` if the collector said so.
struct Retry {
    after: Option<Duration>,
}

impl Transport {
    pub(super) fn new(
        config: Config,
        connector: Connector,
        counts: Arc<Counts>,
        stopping: watch::Receiver<Deadline>,
    ) -> Self {
        // Exactly these are sent, whatever the encoder would take from the environment.
        let mut headers = HeaderMap::from_iter(config.headers.iter().cloned());
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-protobuf"),
        );
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("cap-tracing/", env!("CARGO_PKG_VERSION"))),
        );
        Transport(Arc::new(Inner {
            client: Client::builder(TokioExecutor::new()).build(connector),
            headers,
            config,
            counts,
            stopping,
            outcome: Mutex::new(Outcome::Failed("nothing was sent".to_owned())),
        }))
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.0
            .outcome
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Inner {
    /// Tries until it succeeds, cannot succeed, or the time for it is up.
    async fn send(&self, body: Bytes) -> Outcome {
        let give_up = Instant::now() + self.config.retry_for.min(LONGEST_RETRY);
        let mut stopping = self.stopping.clone();
        let mut backoff = FIRST_BACKOFF;
        loop {
            let failure = match self
                .attempt_until(give_up, &mut stopping, body.clone())
                .await
            {
                Ok(accepted) => return accepted,
                Err(failure) => failure,
            };
            let Some(retry) = failure.retry else {
                return Outcome::Failed(failure.message);
            };
            // Never sooner than the backoff: a collector may ask for less than it can stand.
            let wait = retry.after.unwrap_or_default().max(backoff);
            let until = earliest(give_up, *stopping.borrow_and_update());
            if wait >= until.saturating_duration_since(Instant::now()) {
                return Outcome::Failed(failure.message);
            }
            self.counts
                .set_error(Some(format!("{}; trying again", failure.message)));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                Ok(()) = stopping.changed() => {}
            }
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
    }

    /// One attempt, within its own time and what is left of the others'. A stop that comes meanwhile shortens its time, but does
    /// not send it twice.
    async fn attempt_until(
        &self,
        give_up: Instant,
        stopping: &mut watch::Receiver<Deadline>,
        body: Bytes,
    ) -> Result<Outcome, Failure> {
        let own = Instant::now() + self.config.timeout.min(LONGEST_RETRY);
        let mut attempt = std::pin::pin!(self.attempt(body));
        loop {
            let until = earliest(own.min(give_up), *stopping.borrow_and_update());
            tokio::select! {
                outcome = &mut attempt => return outcome,
                () = passed(Some(until)) => return Err(Failure {
                    message: format!("{} did not answer in time", self.config.endpoint),
                    retry: Some(Retry { after: None }),
                }),
                Ok(()) = stopping.changed() => {}
            }
        }
    }

    async fn attempt(&self, body: Bytes) -> Result<Outcome, Failure> {
        let endpoint = &self.config.endpoint;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = endpoint.uri().clone();
        *request.headers_mut() = self.headers.clone();
        let unreachable = |error: &(dyn StdError + 'static)| Failure {
            message: format!("{endpoint}: {}", chain(error)),
            retry: (!denied(error)).then_some(Retry { after: None }),
        };
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| unreachable(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await;
        match head.status {
            status if status.is_success() => {
                let body = body.map_err(|error| unreachable(&*error))?.to_bytes();
                let answer = ExportTraceServiceResponse::decode(body).unwrap_or_default();
                let partial = answer.partial_success.unwrap_or_default();
                Ok(Outcome::Accepted {
                    rejected: u64::try_from(partial.rejected_spans).unwrap_or(0),
                    message: partial.error_message,
                })
            }
            // The retryable codes of OTLP/HTTP.
            status @ (StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT) => Err(Failure {
                message: format!("{endpoint} answered {status}"),
                retry: Some(Retry {
                    after: retry_after(&head.headers),
                }),
            }),
            status if status.is_redirection() => Err(Failure {
                message: format!(
                    "{endpoint} answered {status}; redirects are not followed: configure the address itself"
                ),
                retry: None,
            }),
            status => Err(Failure {
                message: format!("{endpoint} answered {status}"),
                retry: None,
            }),
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Transport {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let outcome = self.0.send(request.into_body()).await;
        *self
            .0
            .outcome
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = outcome;
        Ok(Response::new(Bytes::new()))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Transport")
            .field(&self.0.config.endpoint)
            .finish()
    }
}

fn earliest(instant: Instant, deadline: Deadline) -> Instant {
    deadline.map_or(instant, |deadline| deadline.min(instant))
}

/// Whole seconds; a date is not honoured, and the backoff takes its place.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Whether the guard refused the address: trying again would not help.
fn denied(error: &(dyn StdError + 'static)) -> bool {
    causes(error)
        .filter_map(|error| error.downcast_ref::<cap_egress::Error>())
        .any(cap_egress::Error::is_denied)
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    let parts: Vec<_> = causes(error).map(ToString::to_string).collect();
    parts.join(": ")
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        (*error).source()
    })
}
