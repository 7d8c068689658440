//! Sends one encoded batch, with retries.

mod answer;
mod chunked_body;
mod failure;
mod grpc;
mod http;
mod request;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cap_egress::Connector;
use cap_egress::worker::{Deadline, StopSignal, passed};
use cap_names::ErrorClass;

use crate::config::Config;
use crate::endpoint::Protocol;
use crate::stats::Counts;
use answer::PartialSuccess;
pub(super) use answer::printable;
use failure::{Failure, Retry};
use grpc::Grpc;
use http::Http;

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// Keeps `now + duration` from overflowing.
const LONGEST_RETRY: Duration = Duration::from_secs(365 * 24 * 3600);

/// Decides on retries and deadlines, alike for both protocols.
pub(super) struct Transport {
    client: Client,
    config: Config,
    counts: Arc<Counts>,
    stop: StopSignal,
}

/// Why a batch is not retried.
pub(super) struct GivenUp {
    pub(super) class: ErrorClass,
    pub(super) why: String,
}

/// The client of one protocol.
enum Client {
    Http(Box<Http>),
    Grpc(Box<Grpc>),
}

impl Transport {
    pub(super) fn new(
        config: Config,
        connector: Connector,
        counts: Arc<Counts>,
        stop: StopSignal,
    ) -> Self {
        let client = match config.endpoint.protocol() {
            Protocol::Http => Client::Http(Box::new(Http::new(&config, connector))),
            Protocol::Grpc => Client::Grpc(Box::new(Grpc::new(&config, &connector))),
        };
        Self { client, config, counts, stop }
    }

    /// Sends until the collector accepts, another attempt cannot help, or the time is up.
    pub(super) async fn send(&self, body: Bytes) -> Result<PartialSuccess, GivenUp> {
        let give_up = Instant::now() + self.config.retry_for.min(LONGEST_RETRY);
        let mut stop = self.stop.clone();
        let mut backoff = FIRST_BACKOFF;
        loop {
            let attempt = self.attempt_until(give_up, &mut stop, body.clone());
            let Failure { class, what, retry } = match attempt.await {
                Ok(accepted) => return Ok(accepted),
                Err(failure) => failure,
            };
            let message = format!("{}: {what}", self.config.endpoint);
            let Some(retry) = retry else {
                let why = message;
                return Err(GivenUp { class, why });
            };
            // At least the backoff, even if the collector asks for less.
            let wait = retry.after.unwrap_or_default().max(backoff);
            let until = earliest(give_up, stop.deadline());
            if wait >= until.saturating_duration_since(Instant::now()) {
                let why = message;
                return Err(GivenUp { class, why });
            }
            self.counts.set_error(Some(format!("{message}; trying again")));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.changed() => {}
            }
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
    }

    /// Makes one attempt, which ends at its own timeout, at `give_up`, or at the deadline of a
    /// stop. A stop during the attempt shortens it and does not repeat it.
    async fn attempt_until(
        &self,
        give_up: Instant,
        stop: &mut StopSignal,
        body: Bytes,
    ) -> Result<PartialSuccess, Failure> {
        let own = Instant::now() + self.config.timeout.get().min(LONGEST_RETRY);
        let mut attempt = std::pin::pin!(async {
            match &self.client {
                Client::Http(client) => client.attempt(body).await,
                Client::Grpc(client) => client.attempt(body).await,
            }
        });
        loop {
            let until = earliest(own.min(give_up), stop.deadline());
            tokio::select! {
                outcome = &mut attempt => return outcome,
                () = passed(Some(until)) => return Err(Failure {
                    class: ErrorClass::Network,
                    what: "no answer in time".to_owned(),
                    retry: Some(Retry { after: None }),
                }),
                () = stop.changed() => {}
            }
        }
    }
}

fn earliest(instant: Instant, deadline: Deadline) -> Instant {
    deadline.map_or(instant, |deadline| deadline.min(instant))
}
