//! prometheus-client on both sides: a team's registry beside the catalogue in one scrape, and the catalogue in a team's registry.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::catalogue::Kind;
use crate::exposition::{self, label_pairs};
use crate::metrics::Metrics;
use crate::scrape::update;
use crate::storage::{Reading, Value};

/// The whole catalogue, for [`Registry::register_collector`](prometheus_client::registry::Registry::register_collector). Exemplars
/// do not come along: prometheus-client lets nobody else make one.
impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        update(&self.registry);
        for family in self.registry.families.all() {
            let metric = family.metric();
            let kind = match metric.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let reading = family.read();
            if matches!(reading, Reading::Absent) {
                continue;
            }
            let name = exposition::family_name(metric);
            let mut encoder = encoder.encode_descriptor(name, metric.help, None, kind)?;
            match reading {
                Reading::Absent => {}
                Reading::One(value) => encode(&mut encoder, &Value::of(metric, value))?,
                Reading::Series(series) => {
                    series.visit(&mut |labels, value| match label_pairs(labels) {
                        pairs if pairs.is_empty() => encode(&mut encoder, &value),
                        pairs => encode(&mut encoder.encode_family(&pairs)?, &value),
                    })?;
                }
            }
        }
        Ok(())
    }
}

fn encode(encoder: &mut MetricEncoder<'_>, value: &Value<'_>) -> fmt::Result {
    match value {
        Value::Counter(value) => encoder.encode_counter::<NoLabelSet, f64, f64>(value, None),
        Value::Gauge(value) => encoder.encode_gauge(value),
        Value::Histogram { sum, buckets } => {
            let count = buckets.iter().map(|(_, count)| count).sum();
            encoder.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
        }
    }
}
