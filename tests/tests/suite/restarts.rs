//! A hundred times: start, load, and a shutdown under load.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cap_telemetry::{Document, Report, Telemetry};
use cap_tests::{Authority, load, until};
use certautopilot::Service;

const TIMES: usize = 100;
const DEADLINE: Duration = Duration::from_secs(5);
/// While requests go on there is always more to deliver, so all of it is used up.
const UNDER_LOAD: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(20);

/// Threads and open files of this process.
fn held() -> (usize, usize) {
    let count = |folder| std::fs::read_dir(folder).expect("Linux's /proc").count();
    (count("/proc/self/task"), count("/proc/self/fd"))
}

fn pipelines(authority: &Authority, collector: &load::Collector, relay: &load::Relay) -> Telemetry {
    let pem = serde_json::to_string(&authority.ca_pem()).expect("JSON");
    let text = format!(
        "telemetry: {{ metrics: {{ listen: '127.0.0.1:0' }}, tracing: {{ enabled: true, endpoint: '{}', sample_rate: 0.5 }} }}\n\
         syslog: {{ enabled: true, host: {}, port: {}, transport: tcp+tls, grace: 50ms, tls: {{ ca: {pem} }} }}\n",
        collector.endpoint(),
        relay.addr().ip(),
        relay.addr().port(),
    );
    let mut document = Document::parse("config.yaml", &text, []).expect("YAML");
    let config = cap_telemetry::Config::from_document(&mut document).expect("sound");
    document.finish().expect("known keys");
    Telemetry::start(config).expect("started")
}

/// Sends requests and counts the answers. Ends at the first missing answer.
fn caller(
    to: SocketAddr,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let Ok(mut caller) = load::Caller::connect(to) else {
                break;
            };
            while !stop.load(Ordering::Relaxed) && caller.call().is_ok() {
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
}

fn closes(report: &Report) {
    let spans = report.tracing.as_ref().expect("on");
    let ended = spans.exported + spans.rejected + spans.dropped + spans.failed;
    assert_eq!(spans.started, ended + spans.pending, "{report}");
    let events = report.syslog.as_ref().expect("on");
    let ended = events.delivered + events.dropped;
    assert_eq!(events.enqueued, ended + events.queued, "{report}");
}

fn once(authority: &Authority, collector: &load::Collector, relay: &load::Relay, number: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let telemetry = pipelines(authority, collector, relay);
    let mut config = certautopilot::Config::default();
    config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let service = runtime.block_on(Service::start(config, telemetry.clone()));
    let service = service.expect("it serves");
    let stop = Arc::new(AtomicBool::new(false));
    let answered = [0, 1].map(|_| Arc::new(AtomicUsize::new(0)));
    let callers = answered
        .each_ref()
        .map(|count| caller(service.address(), Arc::clone(&stop), Arc::clone(count)));
    until("an answer for each caller", PATIENCE, || {
        answered.iter().all(|count| count.load(Ordering::Relaxed) > 0)
    });
    until("an audit event of each of five requests", PATIENCE, || {
        telemetry.syslog().map_or(0, |pipeline| pipeline.status().enqueued) >= 5
    });

    // In order, as the service does it; or the pipelines first, with requests under way.
    let begun = Instant::now();
    let in_order = number.is_multiple_of(2);
    if in_order {
        assert!(runtime.block_on(service.stop()), "it drains");
        let report = telemetry.shutdown(DEADLINE);
        closes(&report);
        assert!(report.is_complete(), "{report}");
        stop.store(true, Ordering::Relaxed);
    } else {
        closes(&telemetry.shutdown(UNDER_LOAD));
        stop.store(true, Ordering::Relaxed);
        assert!(runtime.block_on(service.stop()), "it drains");
        // The account includes what came after the end.
        closes(&telemetry.shutdown(Duration::ZERO));
    }
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    for caller in callers {
        caller.join().expect("no panic");
    }
}

#[test]
fn a_hundred_restarts_under_load_neither_hang_nor_leak_nor_lose() {
    let authority = Authority::new();
    let collector = load::Collector::start().expect("a collector");
    let relay = load::Relay::start(&authority).expect("a relay");
    // The first rounds create what is created once and kept.
    for number in 0..TIMES / 10 {
        once(&authority, &collector, &relay, number);
    }
    let before = settled(held());
    for number in TIMES / 10..TIMES {
        once(&authority, &collector, &relay, number);
    }
    let after = settled(before);
    // One leak in each of ninety rounds would show. Other tests of this process hold some as well.
    let leaked = |before: usize, after: usize| after > before + TIMES / 2;
    assert!(
        !leaked(before.0, after.0) && !leaked(before.1, after.1),
        "threads and files {before:?} became {after:?}"
    );
}

/// The threads and files held, as soon as they are at most as many as wanted, or after 5 s.
fn settled(wanted: (usize, usize)) -> (usize, usize) {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        let now = held();
        if now.0 <= wanted.0 && now.1 <= wanted.1 || Instant::now() > end {
            return now;
        }
        std::thread::yield_now();
    }
}
