//! One registry: the instruments, and what is asked just before a scrape.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use prometheus_client::registry::Registry;

use crate::catalogue::Families;
use crate::error::{Error, Kind};
use crate::expose::{self, Format};
use crate::groups::{
    Certificates, Discovery, Distribution, External, Http, Jobs, Kek, License, Notifications,
    Pipelines, Process, UNMATCHED,
};
use crate::labels::Words;
use crate::scrape::{Scrape, clashes, team_text};
use crate::storage::{ExemplarIds, FAMILY_LIMIT};

/// The metrics of one process. Clones share one registry.
#[derive(Clone)]
pub struct Metrics {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) words: Arc<Words>,
    pub(crate) families: Families,
    before_scrape: RwLock<Vec<Hook>>,
    registries: RwLock<Vec<Arc<Registry>>>,
    trace: OnceLock<CurrentTrace>,
}

thread_local! {
    /// Whether this thread is calling hooks.
    static UPDATING: Cell<bool> = const { Cell::new(false) };
}

type CurrentTrace = Box<dyn Fn() -> Option<ExemplarIds> + Send + Sync>;

type Hook = Arc<dyn Fn(&Metrics) + Send + Sync>;

impl Metrics {
    /// A registry in which every metric of the catalogue is declared and everything known in advance stands at 0.
    pub fn new() -> Self {
        Self::with_family_limit(FAMILY_LIMIT)
    }

    /// The same, with another bound than 10,000 on the series of each family that has open labels.
    pub fn with_family_limit(series: usize) -> Self {
        let words = Arc::new(Words::new());
        let families = Families::new(&words, series);
        let metrics = Metrics {
            inner: Arc::new(Inner {
                words,
                families,
                before_scrape: RwLock::default(),
                registries: RwLock::default(),
                trace: OnceLock::new(),
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

    /// The health of the pipelines.
    pub fn pipelines(&self) -> Pipelines<'_> {
        Pipelines(self)
    }

    /// The process itself.
    pub fn process(&self) -> Process<'_> {
        Process(self)
    }

    /// Exposes a team's own metrics beside the catalogue, in every format.
    ///
    /// ```
    /// use cap_metrics::{Format, Metrics};
    /// use prometheus_client::{metrics::counter::Counter, registry::Registry};
    ///
    /// let (orders, mut registry) = (Counter::<u64>::default(), Registry::with_prefix("acme"));
    /// registry.register("orders", "Orders placed", orders.clone());
    /// let metrics = Metrics::new();
    /// metrics.add_registry(registry)?;
    /// orders.inc();
    /// assert!(metrics.render().contains("acme_orders_total 1"));
    /// # Ok::<(), cap_metrics::Error>(())
    /// ```
    ///
    /// A family without series shows its faults only when it has some. A scrape then leaves it out, and
    /// `cap_telemetry_families_skipped` says so. prometheus-client stops encoding at a metric that fails, so what follows it in the
    /// same registry is left out with it.
    ///
    /// # Errors
    ///
    /// When a family has a name of the catalogue or of another registry, or its text breaks the format.
    pub fn add_registry(&self, registry: Registry) -> Result<(), Error> {
        let mut registries = self
            .inner
            .registries
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let (text, whole) = team_text(&registry);
        let known: Vec<_> = registries
            .iter()
            .map(|registry| team_text(registry).0)
            .collect();
        let known: Vec<_> = known
            .iter()
            .flat_map(|text| expose::families(text))
            .collect();
        let mut last = String::new();
        for family in expose::families(&text) {
            let name = family.name;
            let family_name = name.to_owned();
            if let Some(fault) = family.fault {
                return Err(Kind::Fault {
                    family: family_name,
                    fault,
                }
                .into());
            } else if clashes(name) {
                return Err(Kind::Catalogue {
                    family: family_name,
                }
                .into());
            } else if known.iter().any(|known| known.name == name) {
                return Err(Kind::Twice {
                    family: family_name,
                }
                .into());
            }
            last = family_name;
        }
        if !whole {
            return Err(Kind::Encode { after: last }.into());
        }
        registries.push(Arc::new(registry));
        Ok(())
    }

    /// Has the latency histograms keep exemplars: `current` tells the trace that the calling thread is in, if it is sampled. Called
    /// at the end of every request, job, delivery and call, so it must be quick. Only the first call of this has an effect.
    pub fn set_exemplar_source(
        &self,
        current: impl Fn() -> Option<ExemplarIds> + Send + Sync + 'static,
    ) {
        let _ = self.inner.trace.set(Box::new(current));
    }

    pub(crate) fn current_trace(&self) -> Option<ExemplarIds> {
        self.inner.trace.get()?()
    }

    pub(crate) fn registries(&self) -> Vec<Arc<Registry>> {
        self.inner
            .registries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
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

    /// Every series in the text format 0.0.4, in a fixed order.
    pub fn render(&self) -> String {
        let mut out = Vec::new();
        self.encode(Format::Text, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Appends every series in a fixed order. A buffer that is used again spares the memory allocator.
    pub fn encode(&self, format: Format, out: &mut Vec<u8>) {
        let mut scrape = Scrape::new(self.clone(), format);
        while scrape.write(out) {}
    }

    /// Brings up to date what is asked just before a scrape.
    pub(crate) fn update(&self) {
        let hooks = self.inner.before_scrape.read();
        let hooks = hooks.unwrap_or_else(PoisonError::into_inner).clone();
        // Whatever a hook does, the scrape goes on.
        if !UPDATING.replace(true) {
            for hook in hooks {
                let _ = catch_unwind(AssertUnwindSafe(|| hook(self)));
            }
            UPDATING.set(false);
        }
        self.process().update();
        let families = self.inner.families.all();
        let folded = families
            .iter()
            .map(|family| (family.metric().name, family.folded()));
        self.pipelines().folded(folded);
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
