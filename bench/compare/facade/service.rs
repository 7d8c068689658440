//! The reference service in a process of its own, and rounds of requests to it.

use std::io::{self, BufRead as _, BufReader, Lines, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use cap_telemetry::{Document, Telemetry};
use cap_tests::load::Caller;

/// The argument that makes this program the service.
pub(crate) const SERVICE: &str = "facade-service";

/// Callers, each with one request under way.
const CALLERS: usize = 4;
/// Requests of one caller in a round, and before it, until pipelines and caches are as under load.
const REQUESTS: usize = 2000;
const WARM_UP: usize = 500;
const LONG: Duration = Duration::from_secs(10);

pub(super) struct Service {
    process: Child,
    asks: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

/// In nanoseconds.
pub(super) struct Round {
    pub(super) each: f64,
    pub(super) p99: f64,
}

impl Service {
    /// Starts it on the calling thread's processor, with this configuration of the pipelines, and
    /// with the database in this file or in memory.
    pub(super) fn start(pipelines: &str, database: Option<PathBuf>) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let database = database.unwrap_or_else(|| ":memory:".into());
        let mut process = Command::new(program)
            .args([SERVICE, pipelines])
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let asks = process.stdin.take().expect("it is piped");
        let said = process.stdout.take().expect("it is piped");
        let mut says = BufReader::new(said).lines();
        let address = says.next().expect("it listens").expect("a line");
        Service { process, asks, says, address: address.parse().expect("an address") }
    }

    pub(super) fn round(&mut self) -> Round {
        let connect = |_| Caller::connect(self.address).expect("it listens");
        let mut callers: Vec<_> = (0..CALLERS).map(connect).collect();
        calls(&mut callers, WARM_UP);
        let start = Instant::now();
        let mut took = calls(&mut callers, REQUESTS);
        let each = start.elapsed().as_nanos() as f64 / took.len() as f64;
        took.sort_unstable();
        let p99 = took[took.len() * 99 / 100].as_nanos() as f64;
        // Spans that are still to be exported must not slow the other side.
        writeln!(self.asks, "flush").expect("it runs");
        self.says.next().expect("it runs").expect("a line");
        Round { each, p99 }
    }

    pub(super) fn stop(mut self) {
        drop(self.asks);
        assert!(self.process.wait().expect("it ends").success());
    }
}

fn calls(callers: &mut [Caller], count: usize) -> Vec<Duration> {
    std::thread::scope(|scope| {
        let calling = |caller| scope.spawn(move || Caller::calls(caller, count));
        let calling: Vec<_> = callers.iter_mut().map(calling).collect();
        let calls = calling.into_iter().map(|calls| calls.join().expect("no panic"));
        calls.flat_map(|calls| calls.expect("answers")).collect()
    })
}

/// The service. It prints where it listens, flushes its traces for each line that it reads, and
/// shuts down at the end of its input.
pub(crate) fn serve(pipelines: &str, database: &str) -> io::Result<()> {
    let wrong = |error: cap_telemetry::Error| io::Error::other(error);
    let mut document = Document::parse("config.yaml", pipelines, []).map_err(wrong)?;
    let pipelines = cap_telemetry::Config::from_document(&mut document).map_err(wrong)?;
    document.finish().map_err(wrong)?;
    let telemetry = Telemetry::start(pipelines).map_err(wrong)?;
    let mut config = certautopilot::Config::default();
    config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.database = database.parse().map_err(io::Error::other)?;
    // The number of database threads is fixed: the more there are, the colder each finds the
    // caches.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.max_blocking_threads(CALLERS).enable_all().build()?;
    let service = runtime.block_on(certautopilot::Service::start(config, telemetry.clone()));
    let service = service.map_err(io::Error::other)?;
    println!("{}", service.address());
    for line in io::stdin().lines() {
        line?;
        telemetry.tracer().flush(LONG);
        println!("flushed");
    }
    runtime.block_on(service.stop());
    let report = telemetry.shutdown(LONG);
    if report.is_complete() { Ok(()) } else { Err(io::Error::other(report.to_string())) }
}
