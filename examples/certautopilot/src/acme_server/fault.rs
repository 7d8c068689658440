//! What goes wrong at the provider, where, and how often.

use std::time::Duration;

use serde::Deserialize;

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
        Self {
            endpoint,
            identifier: None,
            kind,
            times: None,
        }
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

/// A fault as JSON, such as `{"endpoint":"finalize","identifier":"a.example","status":503}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Injection {
    endpoint: String,
    identifier: Option<String>,
    times: Option<u32>,
    status: Option<u16>,
    retry_after_seconds: Option<u64>,
    latency_ms: Option<u64>,
    valid_for_seconds: Option<u64>,
}

impl TryFrom<Injection> for Fault {
    type Error = String;

    fn try_from(injection: Injection) -> Result<Self, String> {
        let seconds = Duration::from_secs;
        let retry_after = injection.retry_after_seconds.map(seconds);
        let mut kinds = [
            injection.status.map(FaultKind::Status),
            retry_after.map(|retry_after| FaultKind::RateLimited { retry_after }),
            injection
                .latency_ms
                .map(Duration::from_millis)
                .map(FaultKind::Latency),
            injection
                .valid_for_seconds
                .map(seconds)
                .map(FaultKind::ValidFor),
        ]
        .into_iter()
        .flatten();
        let (Some(kind), None) = (kinds.next(), kinds.next()) else {
            let fields = "status, retry_after_seconds, latency_ms, valid_for_seconds";
            return Err(format!("write one of {fields}"));
        };
        if matches!(kind, FaultKind::Status(status) if !(400..=599).contains(&status)) {
            return Err("status: write one from 400 to 599".to_owned());
        }
        let endpoint = injection.endpoint.parse();
        let endpoint = endpoint.map_err(|unknown| format!("endpoint: {unknown}"))?;
        Ok(Self {
            endpoint,
            identifier: injection.identifier,
            kind,
            times: injection.times,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_its_endpoint_and_name_as_often_as_it_says() {
        let unavailable = Fault::new(Endpoint::Finalize, FaultKind::Status(503));
        let mut faults = vec![unavailable.identifier("a.example").times(2)];
        let mut refused =
            |endpoint, name| apply(&mut faults, endpoint, Some(name)).refusal.is_some();
        assert!(!refused(Endpoint::NewOrder, "a.example"));
        assert!(!refused(Endpoint::Finalize, "b.example"));
        assert!(refused(Endpoint::Finalize, "a.example"));
        assert!(refused(Endpoint::Finalize, "a.example"));
        assert!(!refused(Endpoint::Finalize, "a.example"));
    }

    #[test]
    fn one_call_uses_up_one_refusal() {
        let fault = |status| Fault::new(Endpoint::Directory, FaultKind::Status(status)).times(1);
        let mut faults = vec![fault(503), fault(502)];
        let mut status = || {
            apply(&mut faults, Endpoint::Directory, None)
                .refusal
                .map(|it| it.0)
        };
        assert_eq!([status(), status(), status()], [Some(503), Some(502), None]);
    }
}
