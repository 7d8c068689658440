//! What goes wrong, where, and how often.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::acme::Endpoint;

/// Something that goes wrong at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub endpoint: Endpoint,
    /// For which host name only; `None` for every call.
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
        Fault {
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
    pub(super) refusal: Option<Refusal>,
    pub(super) valid_for: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
}

#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(super) fn inject(&self, fault: Fault) {
        self.lock().push(fault);
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Uses up what applies to this call: all latencies, and of the other kinds the first of each.
    pub(super) fn apply(&self, endpoint: Endpoint, identifier: Option<&str>) -> Effect {
        let mut effect = Effect::default();
        let mut faults = self.lock();
        for fault in faults.iter_mut() {
            let about = fault.identifier.as_deref();
            if fault.endpoint != endpoint || about.is_some_and(|name| identifier != Some(name)) {
                continue;
            }
            let refusal = |status, retry_after| Refusal {
                status,
                retry_after,
            };
            match fault.kind {
                FaultKind::Latency(latency) => effect.latency += latency,
                FaultKind::Status(status) if effect.refusal.is_none() => {
                    effect.refusal = Some(refusal(status, None));
                }
                FaultKind::RateLimited { retry_after } if effect.refusal.is_none() => {
                    effect.refusal = Some(refusal(429, Some(retry_after)));
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

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_its_endpoint_and_identifier_as_often_as_it_says() {
        let faults = Faults::default();
        let unavailable = Fault::new(Endpoint::Finalize, FaultKind::Status(503));
        faults.inject(unavailable.identifier("a.example").times(2));
        let refused = |endpoint, name| faults.apply(endpoint, Some(name)).refusal.is_some();
        assert!(!refused(Endpoint::NewOrder, "a.example"));
        assert!(!refused(Endpoint::Finalize, "b.example"));
        assert!(refused(Endpoint::Finalize, "a.example"));
        assert!(refused(Endpoint::Finalize, "a.example"));
        assert!(!refused(Endpoint::Finalize, "a.example"));
    }

    #[test]
    fn one_call_uses_up_one_refusal() {
        let faults = Faults::default();
        for status in [503, 502] {
            faults.inject(Fault::new(Endpoint::Directory, FaultKind::Status(status)).times(1));
        }
        let status = || {
            faults
                .apply(Endpoint::Directory, None)
                .refusal
                .map(|it| it.status)
        };
        assert_eq!([status(), status(), status()], [Some(503), Some(502), None]);
    }
}
