//! Recording while another thread scrapes.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cap_metrics::{Format, HttpMethod, HttpStatus};
use cap_names::ClosedEnum as _;

use super::{PATH, peers, repeat};
use crate::harness::{Bench, Case};

/// The time of one recording, new series among them, beside a thread that scrapes without a pause.
/// The peer is its time beside a thread that copies a body of the same size without a pause. A
/// second busy thread slows both sides, so the ratio is the share of its speed that a recorder
/// keeps.
pub(super) fn run(bench: &mut Bench) {
    const ROUND: Duration = Duration::from_millis(50);
    const BATCH: u64 = 64;
    const SERIES: usize = 100_000;
    let metrics = peers::counted_within(SERIES, 2_000_000);
    let http = metrics.http();
    let route = http.route(PATH);
    let routes: Vec<_> = (0..200).map(|n| http.route(&format!("/churn/{n}"))).collect();
    let mut born =
        (0..1_000_000).map(|n| (routes[n / 5000], HttpMethod::ALL[n / 500 % 10], n % 500));
    let mut record = || {
        let (start, mut batches) = (Instant::now(), 0);
        while start.elapsed() < ROUND {
            repeat(BATCH, || http.record_request(HttpMethod::Get, route, HttpStatus::new(200)));
            batches += 1;
            if batches % 256 == 0
                && let Some((route, method, code)) = born.next()
            {
                http.record_request(method, route, HttpStatus::new(100 + code as u16));
            }
        }
        start.elapsed().as_nanos() as f64 / (batches * BATCH) as f64
    };
    let mut record_beside = |busy: &(dyn Fn(&mut Vec<u8>) + Sync)| {
        let (begun, stop) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut out = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    out.clear();
                    busy(black_box(&mut out));
                    begun.store(true, Ordering::Relaxed);
                }
            });
            while !begun.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            let took = record();
            stop.store(true, Ordering::Relaxed);
            took
        })
    };
    let scraping = |out: &mut Vec<u8>| metrics.encode(Format::Text, out);
    let mut body = Vec::new();
    scraping(&mut body);
    let copying = |out: &mut Vec<u8>| out.extend_from_slice(black_box(&body));
    let mut times = Vec::new();
    for round in 0..151 {
        if round % 2 == 0 {
            let beside = record_beside(&copying);
            times.push((record_beside(&scraping), beside));
        } else {
            let during = record_beside(&scraping);
            times.push((during, record_beside(&copying)));
        }
    }
    let case = Case {
        case: "counter during scrapes of 100k series",
        peer: "beside a busy thread",
        floor: 0.99,
    };
    bench.measured(&case, &times);
}
