//! One scrape: every family, a page at a time.

use std::sync::Arc;
use std::time::Instant;

use crate::catalogue::METRICS;
use crate::exposition::{self, Format};
use crate::groups::{Pipelines, Process};
use crate::registry::Registry;
use crate::storage::{Reader, Reading};

/// A body that is being written. It holds no lock between two pages, so the reader may be slow.
pub(crate) struct Scrape {
    registry: Arc<Registry>,
    format: Format,
    started: Instant,
    next: usize,
    /// Whether a line waits for its end. Until the last part, a line feed stands before a line
    /// and not behind it.
    open_line: bool,
    reader: Option<Box<dyn Reader>>,
    complete: bool,
    /// As they were when the scrape began.
    #[cfg(feature = "prometheus-client")]
    foreign: crate::foreign::Registries,
}

/// Brings up to date what is read just before a scrape.
pub(crate) fn update(registry: &Arc<Registry>) {
    registry.call_hooks();
    Process(registry).update();
    let families = registry.families.all();
    let overflowed = families.iter().map(|family| (family.metric().name, family.overflowed()));
    Pipelines(registry).set_overflowed(overflowed);
}

impl Scrape {
    pub(crate) fn new(registry: Arc<Registry>, format: Format) -> Self {
        update(&registry);
        Self {
            #[cfg(feature = "prometheus-client")]
            foreign: registry.foreign.registries(),
            registry,
            format,
            started: Instant::now(),
            next: 0,
            open_line: false,
            reader: None,
            complete: false,
        }
    }

    /// Writes the next part of the body. Returns false when the body is complete.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>) -> bool {
        if let Some(reader) = &mut self.reader {
            if reader.write_page(self.format, out) {
                return true;
            }
            self.reader = None;
        }
        let registry = Arc::clone(&self.registry);
        let families = registry.families.all();
        while let Some(family) = families.get(self.next) {
            let metric = self.next;
            self.next += 1;
            match family.read() {
                Reading::Absent => {}
                Reading::One(value) => {
                    self.header(metric, out);
                    exposition::sample(out, METRICS[metric].name, value);
                }
                Reading::Series(mut reader) => {
                    self.header(metric, out);
                    reader.write_page(self.format, out);
                    self.reader = Some(reader);
                    return true;
                }
            }
        }
        if std::mem::replace(&mut self.complete, true) {
            return false;
        }
        self.end_line(out);
        let skipped = self.write_foreign(out);
        out.extend_from_slice(self.format.end());
        Pipelines(&registry).set_scrape(self.started.elapsed(), skipped);
        true
    }

    fn header(&mut self, metric: usize, out: &mut Vec<u8>) {
        self.end_line(out);
        out.extend_from_slice(exposition::header(metric, self.format));
        self.open_line = true;
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.open_line) {
            out.push(b'\n');
        }
    }

    /// Writes the families of other registries, and returns how many were left out.
    #[cfg(feature = "prometheus-client")]
    fn write_foreign(&self, out: &mut Vec<u8>) -> u64 {
        crate::foreign::write(&self.foreign, self.format, out)
    }

    #[cfg(not(feature = "prometheus-client"))]
    fn write_foreign(&self, _: &mut Vec<u8>) -> u64 {
        0
    }
}
