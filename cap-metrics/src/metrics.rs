//! One registry: the instruments, and what is asked just before a scrape.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use crate::catalogue::Families;
use crate::expose;
use crate::groups::{
    Certificates, Discovery, Distribution, External, Http, Jobs, Kek, License, Notifications,
    Pipes, UNMATCHED,
};
use crate::labels::Words;

/// The metrics of one process. Clones share one registry.
#[derive(Clone)]
pub struct Metrics {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) words: Arc<Words>,
    pub(crate) families: Families,
    before_scrape: RwLock<Vec<Hook>>,
}

thread_local! {
    /// Whether this thread is calling hooks.
    static UPDATING: Cell<bool> = const { Cell::new(false) };
}

type Hook = Arc<dyn Fn(&Metrics) + Send + Sync>;

impl Metrics {
    /// A registry in which every metric of the catalogue is declared and everything known in advance stands at 0.
    pub fn new() -> Self {
        let words = Arc::new(Words::new());
        let families = Families::new(&words);
        let metrics = Metrics {
            inner: Arc::new(Inner {
                words,
                families,
                before_scrape: RwLock::default(),
            }),
        };
        metrics.inner.words.route(UNMATCHED);
        metrics.distribution().touch();
        metrics
    }

    /// Requests served.
    pub fn http(&self) -> Http<'_> {
        Http(self)
    }

    /// The job queue.
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs(self)
    }

    /// The certificate inventory.
    pub fn certificates(&self) -> Certificates<'_> {
        Certificates(self)
    }

    /// Pushing certificates to targets.
    pub fn distribution(&self) -> Distribution<'_> {
        Distribution(self)
    }

    /// Key-encryption keys.
    pub fn kek(&self) -> Kek<'_> {
        Kek(self)
    }

    /// Notifications sent.
    pub fn notifications(&self) -> Notifications<'_> {
        Notifications(self)
    }

    /// Certificates found on the network.
    pub fn discovery(&self) -> Discovery<'_> {
        Discovery(self)
    }

    /// Calls to external systems.
    pub fn external(&self) -> External<'_> {
        External(self)
    }

    /// The product's license.
    pub fn license(&self) -> License<'_> {
        License(self)
    }

    /// The health of the pipes.
    pub fn pipes(&self) -> Pipes<'_> {
        Pipes(self)
    }

    /// Has `hook` called before every scrape, to bring snapshots up to date. It must be quick: the scrape waits for it. One that
    /// panics is passed over, and what it would have updated stays as it was; one that renders does not call itself.
    pub fn before_scrape(&self, hook: impl Fn(&Metrics) + Send + Sync + 'static) {
        self.inner
            .before_scrape
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::new(hook));
    }

    /// Every series in the text format 0.0.4 ([`TEXT_0_0_4`](crate::TEXT_0_0_4)), in a fixed order.
    pub fn render(&self) -> String {
        let hooks = self
            .inner
            .before_scrape
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // Whatever a hook does, the scrape goes on.
        if !UPDATING.replace(true) {
            for hook in hooks {
                let _ = catch_unwind(AssertUnwindSafe(|| hook(self)));
            }
            UPDATING.set(false);
        }

        let started = Instant::now();
        let families = self.inner.families.all();
        self.pipes().folded(
            families
                .iter()
                .map(|family| (family.metric().name, family.folded())),
        );
        let mut out = String::with_capacity(16 * 1024);
        for family in families {
            expose::family(&mut out, family);
        }
        self.pipes().scraped_in(started.elapsed());
        out
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_that_panics_or_renders_does_not_take_the_scrape_down() {
        let metrics = Metrics::new();
        metrics.before_scrape(|_| panic!("a hook's bug"));
        metrics.before_scrape(|metrics| drop(metrics.render()));
        metrics.before_scrape(|metrics| metrics.jobs().set_queue_depth([("renew", 7)]));
        for _ in 0..2 {
            assert!(
                metrics
                    .render()
                    .contains(r#"cap_jobs_queue_depth{type="renew"} 7"#)
            );
        }
    }
}
