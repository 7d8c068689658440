//! Sustained export to a collector that accepts everything: the highest rate without drops, and the
//! cost of a span.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cap_tracing::{Config, SampleRate, Tracer};
use opentelemetry::Context;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter as Otlp, WithExportConfig as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
};

use super::sink::Sink;
use super::{case, connector, job, peers};
use crate::harness::{Bench, process_cpu};

/// Spans of a round, on each side.
const SPANS: u64 = 200_000;
const ROUNDS: usize = 15;
/// Spans made between two checks of the queue's length.
const STEP: u64 = 64;
/// The default queue of the stock processor.
const THEIR_QUEUE: u64 = 2048;
const LONG: Duration = Duration::from_secs(30);
/// The argument that makes this program fill a queue.
pub(crate) const MEMORY: &str = "span-memory";
const STOCK: &str = "stock";

#[derive(Clone, Copy)]
enum Over {
    Http,
    Grpc,
}

pub(super) fn run(bench: &mut Bench) {
    let sink = Sink::start();
    for (over, name) in
        [(Over::Http, "span exported over HTTP"), (Over::Grpc, "span exported over gRPC")]
    {
        let (mut times, mut cpu) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let (ours, theirs) = if round % 2 == 0 {
                let ours = ours(over, &sink);
                (ours, stock(over, &sink))
            } else {
                let theirs = stock(over, &sink);
                (self::ours(over, &sink), theirs)
            };
            times.push((ours.0, theirs.0));
            cpu.push((ours.1, theirs.1));
        }
        bench.measured(&case(name, STOCK, 1.5), &times);
        bench.measured(&case(&format!("{name}, CPU"), STOCK, 1.0), &cpu);
    }
    memory(bench);
}

/// Makes spans as fast as possible while at most `queue` of them wait, which is the highest rate
/// without drops. Our spans that are being sent count as waiting, since nothing outside shows when
/// they leave the queue. Returns nanoseconds a span, of time and of this process's processor time.
fn sustained(
    queue: u64,
    make: impl Fn(),
    waiting: impl Fn() -> u64,
    flush: impl FnOnce(),
) -> (f64, f64) {
    let (start, used) = (Instant::now(), process_cpu());
    for _ in 0..SPANS / STEP {
        while waiting() + STEP > queue {
            std::thread::sleep(Duration::from_micros(20));
        }
        (0..STEP).for_each(|_| make());
    }
    flush();
    let each = |time: Duration| time.as_nanos() as f64 / SPANS as f64;
    (each(start.elapsed()), each(process_cpu() - used))
}

fn ours(over: Over, sink: &Sink) -> (f64, f64) {
    let endpoint = match over {
        Over::Http => format!("http://{}", sink.addr()),
        Over::Grpc => format!("grpc://{}", sink.addr()),
    };
    let mut config = Config::new(endpoint.parse().expect("an endpoint"));
    config.sample_rate = SampleRate::ALL;
    let queue = config.queue_size.get() as u64;
    let tracer = Tracer::start(config, connector()).expect("it starts");
    let cost =
        sustained(queue, || job(&tracer), || tracer.stats().pending, || drop(tracer.flush(LONG)));
    let stats = tracer.shutdown(LONG);
    assert_eq!(stats.exported, SPANS, "{stats}");
    cost
}

/// The exporter of `opentelemetry-otlp`, with counts of the spans that it got and that it reports
/// as sent.
#[derive(Debug)]
struct Counted {
    exporter: Otlp,
    given: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
}

impl SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        // They have left the queue, so it has room for as many.
        self.given.fetch_add(spans, Ordering::Release);
        let outcome = self.exporter.export(batch).await;
        if outcome.is_ok() {
            self.sent.fetch_add(spans, Ordering::Release);
        }
        outcome
    }

    fn set_resource(&mut self, resource: &opentelemetry_sdk::Resource) {
        self.exporter.set_resource(resource);
    }
}

fn stock(over: Over, sink: &Sink) -> (f64, f64) {
    // The gRPC exporter needs a runtime. The HTTP exporter needs none.
    let runtime =
        matches!(over, Over::Grpc).then(|| tokio::runtime::Runtime::new().expect("a runtime"));
    let _inside = runtime.as_ref().map(tokio::runtime::Runtime::enter);
    let addr = sink.addr();
    let exporter = match over {
        Over::Http => {
            Otlp::builder().with_http().with_endpoint(format!("http://{addr}/v1/traces")).build()
        }
        Over::Grpc => Otlp::builder().with_tonic().with_endpoint(format!("http://{addr}")).build(),
    };
    let (given, sent) = (Arc::default(), Arc::default());
    let exporter = Counted {
        exporter: exporter.expect("an exporter"),
        given: Arc::clone(&given),
        sent: Arc::clone(&sent),
    };
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
        .with_span_processor(BatchSpanProcessor::builder(exporter).build())
        .build();
    let tracer = provider.tracer("peer");
    let root = Context::new();
    let made = AtomicU64::new(0);
    let cost = sustained(
        THEIR_QUEUE,
        || {
            drop(peers::raw_job(&tracer, &root));
            made.fetch_add(1, Ordering::Relaxed);
        },
        || made.load(Ordering::Relaxed) - given.load(Ordering::Acquire),
        || provider.force_flush().expect("all is sent"),
    );
    assert_eq!(sent.load(Ordering::Acquire), SPANS, "it lost some");
    provider.shutdown().expect("it ends");
    cost
}

/// Memory of a full queue, and of 2,000,000 more spans, when the collector has stopped reading. In
/// a process of its own, since this one holds freed memory by now.
fn memory(bench: &mut Bench) {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).arg(MEMORY).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("numbers");
    let kib: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    let [filled, after] = kib[..] else {
        panic!("{MEMORY} said {text:?}");
    };
    bench.sizes(&case("memory after 2,000,000 spans more", "a full queue", 0.9), after, filled);
}

/// That process.
pub(crate) fn fill() {
    let wedged = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = wedged.local_addr().expect("bound");
    let mut config = Config::new(format!("http://{addr}").parse().expect("an endpoint"));
    config.sample_rate = SampleRate::ALL;
    let full = (config.queue_size.get() + config.batch_size.get()) as u64;
    let before = resident();
    let tracer = Tracer::start(config, connector()).expect("it starts");
    while tracer.stats().dropped < full {
        job(&tracer);
    }
    println!("{}", resident() - before);
    (0..2_000_000).for_each(|_| job(&tracer));
    println!("{}", resident() - before);
    tracer.shutdown(Duration::ZERO);
}

/// Resident memory of this process, in KiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.expect("a number of kB")
}
