//! Totals stay exact while series are inserted and scrapes run.

use std::sync::atomic::{AtomicBool, Ordering};

use cap_metrics::{Format, HttpMethod, HttpStatus, Metrics};

#[test]
fn totals_are_exact_after_scrapes_under_churn() {
    const THREADS: u16 = 4;
    let (metrics, done) = (Metrics::new(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let recorders: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let http = metrics.http();
                    for n in 0..20_000u16 {
                        let route = http.route(&format!("/{}", n % 7));
                        http.record_request(HttpMethod::Get, route, HttpStatus::new(100 + n % 500));
                    }
                })
            })
            .collect();
        let scraper = scope.spawn(|| {
            let mut before = 0;
            while !done.load(Ordering::Relaxed) {
                let now = total(&metrics);
                assert!(now >= before, "a counter went down");
                before = now;
            }
        });
        recorders.into_iter().for_each(|thread| thread.join().expect("it ends"));
        done.store(true, Ordering::Relaxed);
        scraper.join().expect("it ends");
    });
    assert_eq!(total(&metrics), u64::from(THREADS) * 20_000);
}

fn total(metrics: &Metrics) -> u64 {
    let mut out = Vec::new();
    metrics.encode(Format::Text, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    let lines = text.lines().filter(|line| line.starts_with("cap_http_requests_total{"));
    lines.map(|line| line.rsplit(' ').next().map_or(0, |n| n.parse().expect("whole"))).sum()
}
