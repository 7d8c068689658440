//! The audit pipe, which can be switched on, changed and switched off while the process runs.

use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use cap_egress::Guard;
use cap_syslog::{Backfill, BackfillError, Config, Event, Forwarder, Report};

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
    /// A pipe that was switched off and delivers what it has left.
    ending: Option<Forwarder>,
    /// What pipes that were switched off had come to.
    ended: Report,
    shut_down: bool,
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
        self.known().config = Some(config);
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
                self.known().config = Some(config);
            }
            (None, Some(config)) => {
                let guard = self.guard.clone();
                let forwarder = match &self.store {
                    Some(store) => {
                        let store = Shared(Arc::clone(store));
                        Forwarder::start_with_backfill(config.clone(), guard, store)
                    }
                    None => Forwarder::start(config.clone(), guard),
                };
                self.replace(Some(forwarder.map_err(Kind::Syslog)?));
                self.known().config = Some(config);
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
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// What was accepted and what became of it, pipes that were switched off included.
    pub(crate) fn totals(&self) -> Report {
        let known = self.known();
        let pipes = self.forwarder().into_iter().chain(known.ending.clone());
        pipes.fold(known.ended, |total, pipe| {
            let (status, mut now) = (pipe.status(), Report::default());
            now.enqueued = status.enqueued;
            now.released = status.released;
            now.dropped = status.dropped;
            now.backfilled = status.backfilled;
            now.queued = status.queued;
            sum(total, now)
        })
    }

    pub(crate) fn shutdown(&self, deadline: Duration) -> Option<Report> {
        self.known().shut_down = true;
        let last = self.forwarder().map(|pipe| pipe.shutdown(deadline));
        let ended = self.known().ended;
        match last {
            None if ended == Report::default() => None,
            last => Some(sum(ended, last.unwrap_or_default())),
        }
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

/// The one store, for each forwarder that is started.
struct Shared(Arc<dyn Backfill>);

impl Backfill for Shared {
    fn events(
        &self,
        from: Bound<&str>,
        to: &str,
        limit: usize,
    ) -> Result<Vec<Event>, BackfillError> {
        self.0.events(from, to, limit)
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
    sum.released = one.released + other.released;
    sum.dropped = one.dropped + other.dropped;
    sum.backfilled = one.backfilled + other.backfilled;
    sum.queued = one.queued + other.queued;
    sum
}
