//! The audit pipeline, which can be switched on, changed and switched off while the process runs.
//!
//! Locks are taken in the order `changing`, `known`, `running`. `enqueue` takes `running` alone.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use cap_egress::Guard;
use cap_metrics::AuditTotals;
use cap_syslog::{Backfill, Config, Event, Forwarder, Report, State, Tls, Transport};

use crate::error::{Error, Kind};

/// How long queued events are still sent when the pipeline is switched off.
const LAST_CALL: Duration = Duration::from_secs(2);

pub(crate) struct Audit {
    guard: Guard,
    store: Option<Arc<dyn Backfill>>,
    running: RwLock<Option<Forwarder>>,
    /// Held during a change, so that changes come one after the other.
    changing: Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The settings in force, or the last ones.
    config: Option<Config>,
    /// The last TLS settings. They outlast a change to another transport, since the settings page
    /// has no field for a client certificate.
    tls: Option<Tls>,
    /// The forwarder that was switched off and still sends what it has queued.
    ending: Option<Forwarder>,
    /// The sum over the forwarders that were switched off.
    ended: Report,
    /// How many of their dropped events were quarantined.
    quarantined: u64,
    shut_down: bool,
}

impl Known {
    fn remember(&mut self, config: Config) {
        if let Transport::Tls(_, tls) = &config.transport {
            self.tls = Some(tls.clone());
        }
        self.config = Some(config);
    }
}

impl Audit {
    pub(crate) fn start(
        config: Option<Config>,
        guard: Guard,
        store: Option<Arc<dyn Backfill>>,
    ) -> Result<Self, Error> {
        let audit = Self {
            guard,
            store,
            running: RwLock::default(),
            changing: Mutex::default(),
            known: Mutex::default(),
        };
        audit.reconfigure(config)?;
        Ok(audit)
    }

    pub(crate) fn enqueue(&self, event: Event) {
        // The lock is held during the call, so that a forwarder gets no event after it was switched
        // off.
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(forwarder) = &*running {
            forwarder.enqueue(event);
        }
    }

    pub(crate) fn forwarder(&self) -> Option<Forwarder> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.clone()
    }

    /// Remembers settings that are not in force: those of a pipeline that is off.
    #[cfg(feature = "settings-ui")]
    pub(crate) fn remember(&self, config: Config) {
        self.known().remember(config);
    }

    /// The last TLS settings.
    #[cfg(feature = "settings-ui")]
    pub(crate) fn tls(&self) -> Option<Tls> {
        self.known().tls.clone()
    }

    pub(crate) fn config(&self) -> Option<Config> {
        self.known().config.clone()
    }

    /// Changes the settings. `None` switches the pipeline off, and blocks for up to [`LAST_CALL`].
    pub(crate) fn reconfigure(&self, config: Option<Config>) -> Result<(), Error> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.known().shut_down {
            return Err(Kind::ShutDown.into());
        }
        match (self.forwarder(), config) {
            (Some(forwarder), Some(config)) => {
                forwarder.reconfigure(config.clone()).map_err(Kind::Syslog)?;
                self.known().remember(config);
            }
            (None, Some(config)) => {
                let mut builder = Forwarder::builder(config.clone(), self.guard.clone());
                if let Some(store) = &self.store {
                    builder = builder.backfill(Arc::clone(store));
                }
                let forwarder = builder.start().map_err(Kind::Syslog)?;
                self.replace(Some(forwarder.clone()));
                if self.known().shut_down {
                    // A shutdown came in between and did not see this forwarder.
                    forwarder.shutdown(Duration::ZERO);
                    return Err(Kind::ShutDown.into());
                }
                self.known().remember(config);
            }
            (Some(forwarder), None) => {
                {
                    // Under one lock, so that `totals` counts the forwarder exactly once.
                    let mut known = self.known();
                    known.ending = Some(forwarder.clone());
                    self.replace(None);
                }
                let mut report = forwarder.shutdown(LAST_CALL);
                // What is still queued is never sent.
                report.dropped += std::mem::take(&mut report.queued);
                let mut known = self.known();
                known.ending = None;
                known.ended = sum(known.ended, report);
                known.quarantined += forwarder.status().quarantined;
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// The counts over all forwarders, also those that were switched off. `None` when there was
    /// none.
    pub(crate) fn totals(&self) -> Option<AuditTotals> {
        let known = self.known();
        let running = self.forwarder();
        if running.is_none() && known.ending.is_none() && known.ended == Report::default() {
            return None;
        }
        let mut totals = AuditTotals::default();
        totals.enqueued = known.ended.enqueued;
        totals.delivered = known.ended.delivered;
        totals.dropped = known.ended.dropped;
        totals.quarantined = known.quarantined;
        for forwarder in running.iter().chain(&known.ending) {
            let status = forwarder.status();
            totals.enqueued += status.enqueued;
            totals.delivered += status.delivered;
            totals.dropped += status.dropped;
            totals.quarantined += status.quarantined;
            totals.queued += status.queued;
            totals.connected |= status.state == State::Connected;
        }
        Some(totals)
    }

    pub(crate) fn shutdown(&self, deadline: Duration) -> Option<Report> {
        let until = Instant::now().checked_add(deadline);
        let (forwarders, ended) = {
            let mut known = self.known();
            known.shut_down = true;
            // The counts of a forwarder that is being switched off are not in `ended` yet.
            let forwarders = self.forwarder().into_iter().chain(known.ending.clone());
            (forwarders.collect::<Vec<_>>(), known.ended)
        };
        if forwarders.is_empty() && ended == Report::default() {
            return None;
        }
        Some(forwarders.into_iter().fold(ended, |total, forwarder| {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            sum(total, forwarder.shutdown(left.unwrap_or(deadline)))
        }))
    }

    fn replace(&self, forwarder: Option<Forwarder>) {
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *running, forwarder);
        // Dropping a forwarder may take a while; `enqueue` must not wait for it.
        drop(running);
        drop(before);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit")
            .field("running", &self.running)
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

fn sum(one: Report, other: Report) -> Report {
    let mut sum = Report::default();
    sum.enqueued = one.enqueued + other.enqueued;
    sum.delivered = one.delivered + other.delivered;
    sum.dropped = one.dropped + other.dropped;
    sum.backfilled = one.backfilled + other.backfilled;
    sum.queued = one.queued + other.queued;
    sum
}
