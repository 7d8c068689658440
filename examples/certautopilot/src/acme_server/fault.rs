//! What goes wrong at the provider, where, and how often.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::acme::Endpoint;

/// Something that goes wrong at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub endpoint: Endpoint,
    /// The only host name that it affects; `None` for every call.
    pub identifier: Option<String>,
    /// What.
    pub kind: FaultKind,
    /// How many times; `None` for always.
    pub times: Option<u32>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The answer is this status.
    Status(u16),
    /// The answer is 429, with Retry-After in whole seconds.
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The answer takes this much longer.
    Latency(Duration),
    /// The certificate is valid this long instead of 90 days. At [`Endpoint::Finalize`].
    ValidFor(Duration),
}

impl Fault {
    /// A fault at every call of an endpoint.
    pub fn new(endpoint: Endpoint, kind: FaultKind) -> Self {
        Self { endpoint, identifier: None, kind, times: None }
    }

    /// Only for this host name.
    #[must_use]
    pub fn identifier(mut self, name: impl Into<String>) -> Self {
        self.identifier = Some(name.into());
        self
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}

/// What happens to one call.
#[derive(Debug, Default)]
pub(super) struct Effect {
    pub(super) latency: Duration,
    /// The status, and what Retry-After says.
    pub(super) refusal: Option<(u16, Option<Duration>)>,
    pub(super) valid_for: Option<Duration>,
}

/// Uses up what applies to a call: all latencies, and of the other kinds the first of each.
pub(super) fn apply(faults: &mut Vec<Fault>, endpoint: Endpoint, name: Option<&str>) -> Effect {
    let mut effect = Effect::default();
    for fault in faults.iter_mut() {
        let about = fault.identifier.as_deref();
        if fault.endpoint != endpoint || about.is_some_and(|about| name != Some(about)) {
            continue;
        }
        match fault.kind {
            FaultKind::Latency(latency) => effect.latency += latency,
            FaultKind::Status(status) if effect.refusal.is_none() => {
                effect.refusal = Some((status, None));
            }
            FaultKind::RateLimited { retry_after } if effect.refusal.is_none() => {
                effect.refusal = Some((429, Some(retry_after)));
            }
            FaultKind::ValidFor(time) if effect.valid_for.is_none() => {
                effect.valid_for = Some(time);
            }
            _ => continue,
        }
        fault.times = fault.times.map(|times| times.saturating_sub(1));
    }
    faults.retain(|fault| fault.times != Some(0));
    effect
}

/// Reads a fault as JSON, such as `{"endpoint":"finalize","status":503,"times":2}`; `None` for
/// anything but an endpoint, one kind, and optionally a name and a number of times.
pub(super) fn parse(body: &[u8]) -> Option<Fault> {
    let mut members: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let endpoint = members.remove("endpoint")?.as_str()?.parse().ok()?;
    let identifier = match members.remove("identifier") {
        Some(name) => Some(name.as_str()?.to_owned()),
        None => None,
    };
    let times = match members.remove("times") {
        Some(times) => Some(times.as_u64()?.try_into().ok()?),
        None => None,
    };
    let mut kinds = members.into_iter();
    let (Some((kind, value)), None) = (kinds.next(), kinds.next()) else {
        return None;
    };
    let (value, seconds) = (value.as_u64()?, Duration::from_secs(value.as_u64()?));
    let kind = match &*kind {
        "status" if (400..600).contains(&value) => FaultKind::Status(value.try_into().ok()?),
        "retry_after_seconds" => FaultKind::RateLimited { retry_after: seconds },
        "latency_ms" => FaultKind::Latency(Duration::from_millis(value)),
        "valid_for_seconds" => FaultKind::ValidFor(seconds),
        _ => return None,
    };
    Some(Fault { endpoint, identifier, kind, times })
}
