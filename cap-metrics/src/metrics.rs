//! The handle to one registry.

use std::fmt;
use std::sync::Arc;

use crate::exemplar::ExemplarIds;
use crate::exposition::Format;
use crate::groups::{
    Certificates, Discovery, Distribution, External, Http, Jobs, Kek, License, Notifications,
    Pipelines, Process,
};
use crate::registry::Registry;
use crate::scrape::Scrape;
use crate::storage::FAMILY_LIMIT;

/// The metrics of one process. Clones share one registry.
#[derive(Clone)]
pub struct Metrics {
    pub(crate) registry: Arc<Registry>,
}

impl Metrics {
    /// A registry with every metric of the catalogue. Counters whose labels are all known in
    /// advance are exposed as 0.
    pub fn new() -> Self {
        Self::with_family_limit(FAMILY_LIMIT)
    }

    /// The same with another limit on the series of each counter and histogram than 10,000.
    ///
    /// Past the limit, what is recorded for a new series goes into an overflow series of the
    /// family.
    pub fn with_family_limit(series: usize) -> Self {
        let metrics = Self { registry: Arc::new(Registry::new(series)) };
        metrics.http().init();
        metrics.distribution().init();
        metrics
    }

    /// Requests served.
    pub fn http(&self) -> Http<'_> {
        Http(&self.registry)
    }

    /// The job queue.
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs(&self.registry)
    }

    /// The certificate inventory.
    pub fn certificates(&self) -> Certificates<'_> {
        Certificates(&self.registry)
    }

    /// Certificates pushed to targets.
    pub fn distribution(&self) -> Distribution<'_> {
        Distribution(&self.registry)
    }

    /// Key-encryption keys.
    pub fn kek(&self) -> Kek<'_> {
        Kek(&self.registry)
    }

    /// Notifications sent.
    pub fn notifications(&self) -> Notifications<'_> {
        Notifications(&self.registry)
    }

    /// Certificates found on the network.
    pub fn discovery(&self) -> Discovery<'_> {
        Discovery(&self.registry)
    }

    /// Calls to external systems.
    pub fn external(&self) -> External<'_> {
        External(&self.registry)
    }

    /// The product's license.
    pub fn license(&self) -> License<'_> {
        License(&self.registry)
    }

    /// The health of the telemetry pipelines.
    pub fn pipelines(&self) -> Pipelines<'_> {
        Pipelines(&self.registry)
    }

    /// The process itself.
    pub fn process(&self) -> Process<'_> {
        Process(&self.registry)
    }

    /// Exposes a team's own metrics beside the catalogue, in both formats.
    ///
    /// ```
    /// use cap_metrics::Metrics;
    /// use cap_metrics::prometheus_client::{metrics::counter::Counter, registry::Registry};
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
    /// A family without series is checked at each scrape instead, as soon as it has series. A
    /// scrape leaves out a family that breaks the format and counts it in
    /// `cap_telemetry_families_skipped`. prometheus-client stops at a metric that it cannot encode,
    /// so the scrape also lacks what follows that metric in its registry.
    ///
    /// # Errors
    ///
    /// When a family has a name of the catalogue or of another registry, when its text breaks the
    /// format, or when the registry cannot be encoded.
    #[cfg(feature = "prometheus-client")]
    pub fn add_registry(
        &self,
        registry: prometheus_client::registry::Registry,
    ) -> Result<(), crate::Error> {
        self.registry.foreign.add(registry)
    }

    /// Sets where the latency histograms get their exemplars from.
    ///
    /// `source` returns the trace that the calling thread is in, or `None` when that trace is not
    /// sampled. It is called for every request, job, delivery and call, so it must be quick. Only
    /// the first call of this method has an effect.
    pub fn set_exemplar_source(
        &self,
        source: impl Fn() -> Option<ExemplarIds> + Send + Sync + 'static,
    ) {
        self.registry.set_exemplar_source(Box::new(source));
    }

    /// Calls `hook` before every scrape, to bring snapshots up to date.
    ///
    /// The scrape waits for the hook, so it must be quick. A hook that panics is skipped, and the
    /// values it would have set stay as they were. A hook that renders does not call hooks again.
    pub fn before_scrape(&self, hook: impl Fn(&Self) + Send + Sync + 'static) {
        self.registry.add_hook(Arc::new(move |registry| {
            hook(&Self { registry: Arc::clone(registry) });
        }));
    }

    /// Every series in the text format 0.0.4, in a fixed order.
    pub fn render(&self) -> String {
        let mut out = Vec::new();
        self.encode(Format::Text, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Appends every series in a fixed order. Reuse the buffer to avoid allocations.
    pub fn encode(&self, format: Format, out: &mut Vec<u8>) {
        let mut scrape = Scrape::new(Arc::clone(&self.registry), format);
        while scrape.write(out) {}
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
impl Metrics {
    #[track_caller]
    pub(crate) fn assert_shows<const N: usize>(&self, lines: [&str; N]) {
        let text = self.render();
        for line in lines {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_that_panics_or_renders_does_not_stop_the_scrape() {
        let metrics = Metrics::new();
        metrics.before_scrape(|_| panic!("a hook's bug"));
        metrics.before_scrape(|metrics| drop(metrics.render()));
        metrics.before_scrape(|metrics| metrics.jobs().set_queue_depth([("renew", 7)]));
        for _ in 0..2 {
            metrics.assert_shows([r#"cap_jobs_queue_depth{type="renew"} 7"#]);
        }
    }
}
