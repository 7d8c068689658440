//! The audit pipe, which can be switched on, changed and switched off while the process runs.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use cap_egress::Guard;
use cap_metrics::AuditTotals;
use cap_syslog::{Backfill, Config, Event, Forwarder, Report, State, Tls, Transport};

use crate::error::{Error, Kind};

/// What the relay gets to take in what is left when the pipe is switched off.
const LAST_CALL: Duration = Duration::from_secs(2);

pub(crate) struct Audit {
    guard: Guard,
    store: Option<Arc<dyn Backfill>>,
    running: RwLock<Option<Forwarder>>,
    /// Held for the length of a change, so that they come one after the other.
    changing: Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The settings in force, or those that were last.
    config: Option<Config>,
    /// Those of TLS, whatever the transport is now: a client certificate is entered nowhere but in a file.
    tls: Option<Tls>,
    /// A pipe that was switched off and delivers what it has left.
    ending: Option<Forwarder>,
    /// What pipes that were switched off had come to, and of the dropped those that were set aside.
    ended: Report,
    set_aside: u64,
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
        let audit = Audit {
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
        // The lock is kept meanwhile, so that a pipe which is switched off gets no event after its last call.
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(forwarder) = &*running {
            forwarder.enqueue(event);
        }
    }

    pub(crate) fn forwarder(&self) -> Option<Forwarder> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.clone()
    }

    /// What the settings are to be when the pipe is switched on.
    #[cfg(feature = "settings-ui")]
    pub(crate) fn remember(&self, config: Config) {
        self.known().remember(config);
    }

    /// The last settings of TLS.
    #[cfg(feature = "settings-ui")]
    pub(crate) fn tls(&self) -> Option<Tls> {
        self.known().tls.clone()
    }

    pub(crate) fn config(&self) -> Option<Config> {
        self.known().config.clone()
    }

    /// `None` switches the pipe off, and takes as long as the relay needs for what is left, within `LAST_CALL`.
    pub(crate) fn reconfigure(&self, config: Option<Config>) -> Result<(), Error> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.known().shut_down {
            return Err(Kind::ShutDown.into());
        }
        match (self.forwarder(), config) {
            (Some(forwarder), Some(config)) => {
                let taken = forwarder.reconfigure(config.clone());
                taken.map_err(Kind::Syslog)?;
                self.known().remember(config);
            }
            (None, Some(config)) => {
                let guard = self.guard.clone();
                let mut builder = Forwarder::builder(config.clone(), guard);
                if let Some(store) = &self.store {
                    builder = builder.backfill(Arc::clone(store));
                }
                let forwarder = builder.start();
                let forwarder = forwarder.map_err(Kind::Syslog)?;
                self.replace(Some(forwarder.clone()));
                if self.known().shut_down {
                    // The shutdown came meanwhile, and found nothing to end.
                    forwarder.shutdown(Duration::ZERO);
                    return Err(Kind::ShutDown.into());
                }
                self.known().remember(config);
            }
            (Some(forwarder), None) => {
                {
                    // One step for whoever counts.
                    let mut known = self.known();
                    known.ending = Some(forwarder.clone());
                    self.replace(None);
                }
                let mut report = forwarder.shutdown(LAST_CALL);
                // Nobody will send them any more.
                report.dropped += std::mem::take(&mut report.queued);
                let mut known = self.known();
                known.ending = None;
                known.ended = sum(known.ended, report);
                known.set_aside += forwarder.status().quarantined;
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// What was accepted and what became of it, pipes that were switched off included; `None` where there was none.
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
        totals.quarantined = known.set_aside;
        for pipe in running.iter().chain(&known.ending) {
            let status = pipe.status();
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
        let (pipes, ended) = {
            let mut known = self.known();
            known.shut_down = true;
            // One that is being switched off has not come to anything yet.
            let pipes = self.forwarder().into_iter().chain(known.ending.clone());
            (pipes.collect::<Vec<_>>(), known.ended)
        };
        if pipes.is_empty() && ended == Report::default() {
            return None;
        }
        Some(pipes.into_iter().fold(ended, |total, pipe| {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            sum(total, pipe.shutdown(left.unwrap_or(deadline)))
        }))
    }

    fn replace(&self, forwarder: Option<Forwarder>) {
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *running, forwarder);
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
