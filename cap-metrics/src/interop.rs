//! The catalogue in a team's own prometheus-client registry.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::catalogue::{Kind, Metric};
use crate::exposition::{self, Format, label_pairs};
use crate::metrics::Metrics;
use crate::scrape::update;
use crate::storage::Reading;

/// The whole catalogue, for [`Registry::register_collector`]. Exemplars are left out, since
/// prometheus-client lets no other crate make one.
///
/// [`Registry::register_collector`]: prometheus_client::registry::Registry::register_collector
impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        update(&self.registry);
        let mut text = Vec::new();
        for family in self.registry.families.all() {
            let metric = family.metric();
            text.clear();
            match family.read() {
                Reading::Absent => continue,
                Reading::One(value) => exposition::sample(&mut text, metric.name, value),
                Reading::Series(mut reader) => while reader.write_page(Format::Text, &mut text) {},
            }
            let kind = match metric.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let name = exposition::family_name(metric);
            let mut encoder = encoder.encode_descriptor(name, metric.help, None, kind)?;
            encode(metric, &String::from_utf8_lossy(&text), &mut encoder)?;
        }
        Ok(())
    }
}

/// Encodes the series of a family from its lines in the text format.
fn encode(metric: &Metric, text: &str, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
    let (mut buckets, mut sum, mut below) = (Vec::new(), 0.0, 0);
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (series, value) = line.rsplit_once(' ').ok_or(fmt::Error)?;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let mut pairs = label_pairs(labels);
        let float = || value.parse::<f64>().map_err(|_| fmt::Error);
        match (metric.kind, &name[metric.name.len()..]) {
            (Kind::Counter, _) => labeled(encoder, &pairs, |encoder| {
                encoder.encode_counter::<NoLabelSet, f64, f64>(&float()?, None)
            })?,
            (Kind::Gauge, _) => {
                labeled(encoder, &pairs, |encoder| encoder.encode_gauge(&float()?))?;
            }
            (Kind::Histogram, "_bucket") => {
                // A bucket has a label more than the series, `le`, and counts those below too.
                let (_, bound) = pairs.pop().ok_or(fmt::Error)?;
                let bound: f64 = bound.parse().map_err(|_| fmt::Error)?;
                let cumulative: u64 = value.parse().map_err(|_| fmt::Error)?;
                buckets.push((bound, cumulative - below));
                below = cumulative;
            }
            (Kind::Histogram, "_sum") => sum = float()?,
            (Kind::Histogram, _) => {
                labeled(encoder, &pairs, |encoder| {
                    encoder.encode_histogram::<NoLabelSet>(sum, below, &buckets, None)
                })?;
                buckets.clear();
                below = 0;
            }
        }
    }
    Ok(())
}

fn labeled(
    encoder: &mut MetricEncoder<'_>,
    pairs: &Vec<(String, String)>,
    encode: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    match pairs.is_empty() {
        true => encode(encoder),
        false => encode(&mut encoder.encode_family(pairs)?),
    }
}
