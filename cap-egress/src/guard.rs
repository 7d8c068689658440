//! The guard: a policy, a resolver and time limits, shared by everything that connects out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cap_names::{ClosedEnum as _, DenialClass};

use crate::{Denial, Host, Policy, Resolve, Stage, SystemResolver};

mod warn_limit;

use warn_limit::WarnLimit;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// Keeps `now + timeout` from overflowing, whatever a configuration says.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Opens connections to hosts that the [`Policy`] allows, and counts those it refuses.
///
/// A clone is cheap and shares everything, the counters included.
///
/// Each connect resolves the name once, checks every answer, and dials only checked addresses. One
/// denied answer refuses the name. A reconnect resolves and checks again.
#[derive(Clone)]
pub struct Guard {
    inner: Arc<Inner>,
    observer: Option<Arc<dyn Fn(Stage) + Send + Sync>>,
}

struct Inner {
    policy: Policy,
    resolver: Box<dyn Resolve>,
    connect_timeout: Duration,
    handshake_timeout: Duration,
    denials: [AtomicU64; DenialClass::ALL.len()],
    warn_limit: WarnLimit,
}

impl Guard {
    /// A guard with the system's resolver, five seconds for each connect, and five more for a TLS
    /// handshake after it.
    pub fn new(policy: Policy) -> Self {
        Self::builder(policy).build()
    }

    /// Prepares a guard with another resolver or other timeouts.
    pub fn builder(policy: Policy) -> GuardBuilder {
        GuardBuilder {
            policy,
            resolver: Box::new(SystemResolver),
            connect_timeout: DEFAULT_TIMEOUT,
            handshake_timeout: DEFAULT_TIMEOUT,
        }
    }

    /// The number of connects that the policy refused since the guard was built, for every class,
    /// zeros included.
    pub fn denials(&self) -> BTreeMap<DenialClass, u64> {
        let counters = self.inner.denials.iter();
        let counts = counters.map(|counter| counter.load(Ordering::Relaxed));
        DenialClass::ALL.iter().copied().zip(counts).collect()
    }

    /// A guard that shares everything with this one, and calls `observer` with each stage that one
    /// of its own connects enters.
    #[must_use]
    pub fn with_observer(&self, observer: impl Fn(Stage) + Send + Sync + 'static) -> Self {
        Self { inner: Arc::clone(&self.inner), observer: Some(Arc::new(observer)) }
    }

    pub(crate) fn enter(&self, stage: Stage) {
        if let Some(observer) = &self.observer {
            observer(stage);
        }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.inner.policy
    }

    pub(crate) fn resolver(&self) -> &dyn Resolve {
        &*self.inner.resolver
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.inner.connect_timeout
    }

    pub(crate) fn handshake_timeout(&self) -> Duration {
        self.inner.handshake_timeout
    }

    /// Counts a refusal, and logs it at most once a minute.
    ///
    /// The log is needed because an HTTP client reports only "network error".
    pub(crate) fn record(&self, denial: Denial, host: &Host, port: u16) {
        self.inner.denials[denial.class().index()].fetch_add(1, Ordering::Relaxed);
        if !self.inner.warn_limit.is_due(denial, host, port) {
            return;
        }
        tracing::warn!(
            target: "cap_egress",
            class = denial.class().as_str(),
            rule = denial.rule(),
            %host,
            port,
            "outbound connection refused by the egress policy"
        );
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("policy", &self.inner.policy)
            .field("connect_timeout", &self.inner.connect_timeout)
            .field("handshake_timeout", &self.inner.handshake_timeout)
            .field("denials", &self.denials())
            .finish_non_exhaustive()
    }
}

/// Options of a [`Guard`]; made by [`Guard::builder`].
#[must_use = "a builder does nothing until `build`"]
pub struct GuardBuilder {
    policy: Policy,
    resolver: Box<dyn Resolve>,
    connect_timeout: Duration,
    handshake_timeout: Duration,
}

impl GuardBuilder {
    /// Replaces the system's resolver.
    pub fn resolver(mut self, resolver: impl Resolve + 'static) -> Self {
        self.resolver = Box::new(resolver);
        self
    }

    /// Limits a connect: the resolution and all addresses together. Default: 5 s; at most a day.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// Limits the TLS handshake after a connect. Default: 5 s; at most a day.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// Makes the guard.
    #[must_use]
    pub fn build(self) -> Guard {
        Guard {
            inner: Arc::new(Inner {
                policy: self.policy,
                resolver: self.resolver,
                connect_timeout: self.connect_timeout,
                handshake_timeout: self.handshake_timeout,
                denials: Default::default(),
                warn_limit: WarnLimit::default(),
            }),
            observer: None,
        }
    }
}

impl fmt::Debug for GuardBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardBuilder")
            .field("policy", &self.policy)
            .field("connect_timeout", &self.connect_timeout)
            .field("handshake_timeout", &self.handshake_timeout)
            .finish_non_exhaustive()
    }
}
