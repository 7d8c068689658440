//! Encoding many series, against every peer and against a copy of the same bytes.

use std::hint::black_box;
use std::time::Instant;

use cap_metrics::{Format, Metrics};

use super::peers::{self, PEERS, Peer};
use super::repeat;
use super::series::{CALLS, REQUESTS};
use crate::harness::{Bench, Case};

pub(super) fn run(bench: &mut Bench) {
    for series in [1_000, 10_000, 100_000] {
        let what = format!("encode {series} counter series");
        let metrics = peers::counted(series);
        for peer in &PEERS {
            against(bench, &what, &metrics, peer, (peer.counters)(series), REQUESTS);
        }
        let floor = if series == 100_000 { 0.5 } else { 0.0 };
        against_a_copy(bench, &what, &metrics, floor);
    }
    moving_counters(bench);
    let metrics = peers::observed(10_000);
    let what = "encode 10000 histograms";
    for peer in &PEERS {
        against(bench, what, &metrics, peer, (peer.histograms)(10_000), CALLS);
    }
    against_a_copy(bench, what, &metrics, 0.0);
}

fn against(
    bench: &mut Bench,
    what: &str,
    metrics: &Metrics,
    peer: &Peer,
    mut theirs: peers::Encode,
    family: &str,
) {
    let mut ours = peers::ours(metrics.clone(), peer.format);
    let (mut expected, mut is) = (Vec::new(), Vec::new());
    ours(&mut |body| expected = samples(body, family));
    theirs(&mut |body| is = samples(body, family));
    assert_eq!(expected.len(), is.len(), "{}", peer.name);
    let different = expected.iter().zip(&is).find(|(ours, theirs)| ours != theirs);
    assert!(different.is_none(), "{}: {different:?}", peer.name);
    let case = Case { case: what, peer: peer.name, floor: 3.0 };
    let mut show = |body: &[u8]| {
        black_box(body);
    };
    bench.compare(
        &case,
        |count| repeat(count, || ours(&mut show)),
        |count| {
            repeat(count, || {
                theirs(&mut |body| {
                    black_box(body);
                });
            });
        },
    );
}

/// The samples of a family, in a form that does not depend on the spelling of numbers and the order
/// of labels and samples.
fn samples(body: &[u8], family: &str) -> Vec<(String, u64)> {
    let text = std::str::from_utf8(body).expect("UTF-8");
    let lines = text.lines().filter(|line| line.starts_with(family));
    let mut samples: Vec<_> = lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a sample");
            let value: f64 = value.parse().expect("a number");
            // The last digit of a sum may differ.
            (normal(series), (value * 1e6).round() as u64)
        })
        .collect();
    samples.sort_unstable();
    samples
}

fn normal(series: &str) -> String {
    let (name, labels) = series.split_once('{').expect("labels");
    let labels = labels.trim_end_matches('}').split(',');
    let mut labels: Vec<_> = labels
        .map(|label| match label.strip_prefix("le=") {
            Some(le) => format!("{:?}", le.trim_matches('"').parse::<f64>()),
            None => label.to_owned(),
        })
        .collect();
    labels.sort_unstable();
    format!("{name}{labels:?}")
}

/// A copy of the same bytes into memory that was used before, as ours was.
fn against_a_copy(bench: &mut Bench, what: &str, metrics: &Metrics, floor: f64) {
    let mut ours = peers::ours(metrics.clone(), Format::OpenMetrics);
    let mut body = Vec::new();
    ours(&mut |whole| body = whole.to_vec());
    let mut copy = Vec::with_capacity(body.len());
    let case = Case { case: what, peer: "memcpy", floor };
    let ours = |count| {
        repeat(count, || {
            ours(&mut |body| {
                black_box(body);
            });
        });
    };
    bench.compare(&case, ours, |count| {
        repeat(count, || {
            copy.clear();
            copy.extend_from_slice(black_box(&body));
            black_box(&copy);
        });
    });
}

/// A scrape after recording: every counter has moved, and the caches hold what recording left. Both
/// sides write into memory that they used before.
fn moving_counters(bench: &mut Bench) {
    const SERIES: usize = 100_000;
    let metrics = Metrics::with_family_limit(2 * SERIES);
    let (mut out, mut body, mut copy) = (Vec::new(), Vec::new(), Vec::new());
    let mut times = Vec::new();
    for round in 0..31 {
        peers::count_all(&metrics, SERIES);
        out.clear();
        let start = Instant::now();
        metrics.encode(Format::OpenMetrics, black_box(&mut out));
        let ours = start.elapsed();
        body.clone_from(&out);
        peers::count_all(&metrics, SERIES);
        copy.clear();
        let start = Instant::now();
        copy.extend_from_slice(black_box(&body));
        black_box(&copy);
        // In the first rounds a side's memory is new.
        if round > 1 {
            times.push((ours.as_nanos() as f64, start.elapsed().as_nanos() as f64));
        }
    }
    let case = Case { case: "encode 100000 counter series, all moved", peer: "memcpy", floor: 0.5 };
    bench.measured(&case, &times);
}
