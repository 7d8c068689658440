//! One scrape: every family, a page at a time.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use prometheus_client::registry::Registry;

use crate::catalogue::METRICS;
use crate::expose::{self, Format};
use crate::metrics::Metrics;
use crate::storage::{Reader, Reading};

/// A body on its way. Between two pages nothing is locked, so it may take as long as it likes.
pub(crate) struct Scrape {
    metrics: Metrics,
    format: Format,
    started: Instant,
    next: usize,
    /// Whether there is a line that the next one has to end: until the last part, a line feed stands before a line and not behind it.
    open_line: bool,
    reader: Option<Box<dyn Reader>>,
    teams: Option<Vec<Arc<Registry>>>,
}

impl Scrape {
    pub(crate) fn new(metrics: Metrics, format: Format) -> Self {
        metrics.update();
        let teams = metrics.registries();
        Scrape {
            metrics,
            format,
            started: Instant::now(),
            next: 0,
            open_line: false,
            reader: None,
            teams: Some(teams),
        }
    }

    /// Writes the next part of the body; false when it is complete.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>) -> bool {
        if let Some(reader) = &mut self.reader {
            if reader.write_page(self.format, out) {
                return true;
            }
            self.reader = None;
        }
        let metrics = self.metrics.clone();
        let families = metrics.inner.families.all();
        while let Some(family) = families.get(self.next) {
            let metric = self.next;
            self.next += 1;
            match family.read() {
                Reading::Absent => {}
                Reading::One(value) => {
                    self.header(metric, out);
                    expose::sample(out, METRICS[metric].name, value);
                }
                Reading::Series(mut reader) => {
                    self.header(metric, out);
                    reader.write_page(self.format, out);
                    self.reader = Some(reader);
                    return true;
                }
            }
        }
        let Some(teams) = self.teams.take() else {
            return false;
        };
        self.end_line(out);
        self.write_teams(&teams, out);
        out.extend_from_slice(self.format.end());
        self.metrics.pipelines().scraped_in(self.started.elapsed());
        true
    }

    fn header(&mut self, metric: usize, out: &mut Vec<u8>) {
        self.end_line(out);
        out.extend_from_slice(expose::header(metric, self.format));
        self.open_line = true;
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.open_line) {
            out.push(b'\n');
        }
    }

    fn write_teams(&self, teams: &[Arc<Registry>], out: &mut Vec<u8>) {
        let (mut names, mut skipped) = (BTreeSet::new(), 0u64);
        for registry in teams {
            let (text, whole) = team_text(registry);
            skipped += u64::from(!whole);
            for family in expose::families(&text) {
                let first = !names.contains(family.name) && !clashes(family.name);
                if family.fault.is_none() && first {
                    family.write(self.format, out);
                    names.insert(family.name.to_owned());
                } else {
                    skipped += 1;
                }
            }
        }
        self.metrics.pipelines().skipped(skipped);
    }
}

/// The families of a registry as OpenMetrics, and whether they are all there: its encoder stops at one that fails.
pub(crate) fn team_text(registry: &Registry) -> (String, bool) {
    let mut text = String::new();
    let encode = || prometheus_client::encoding::text::encode_registry(&mut text, registry);
    let whole = matches!(catch_unwind(AssertUnwindSafe(encode)), Ok(Ok(())));
    if !whole {
        // The family it stopped in may lack samples.
        text.truncate(text.rfind("# HELP ").unwrap_or(0));
    }
    (text, whole)
}

/// Whether a family of this name would stand beside one of the catalogue with the same samples.
pub(crate) fn clashes(name: &str) -> bool {
    let bare = name.strip_suffix("_total").unwrap_or(name);
    METRICS.iter().any(|metric| {
        let ours = expose::family_name(metric);
        let suffix = ours.strip_prefix(name).or_else(|| name.strip_prefix(ours));
        ours == bare
            || metric.name == name
            || suffix.is_some_and(|suffix| {
                matches!(
                    suffix,
                    "" | "_total" | "_bucket" | "_sum" | "_count" | "_created" | "_info"
                )
            })
    })
}
