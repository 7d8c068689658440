//! The reference service at its highest rate, for long: memory stays flat, and the accounts close.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::command::{self, Parser, say};
use crate::service::Service;
use crate::{Authority, Scraper, load};

const SAMPLE: Duration = Duration::from_secs(1);
const SCRAPE: Duration = Duration::from_secs(15);
/// Clients that each wait for an answer before they ask again.
const CALLERS: usize = 4;
/// Flat memory may still grow by this share, or by so many bytes.
const SHARE: f64 = 0.05;
const BYTES: f64 = 4.0 * 1024.0 * 1024.0;

/// How long the service runs.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    minutes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { minutes: 20 }
    }
}

impl command::Options for Options {
    const USAGE: &str = include_str!("../../xtask/src/usage/soak.txt");

    fn set(&mut self, name: &str, parser: &mut Parser) -> Result<bool, lexopt::Error> {
        match name {
            "minutes" => self.minutes = command::count(parser)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[derive(Default)]
struct Load {
    stop: AtomicBool,
    answered: AtomicU64,
    failed: AtomicU64,
}

/// Runs the service; returns where memory grows, a request fails, or an account does not close.
///
/// # Errors
/// When the service does not start, or ends early.
pub async fn soak(options: Options) -> io::Result<Vec<String>> {
    let lasts = Duration::from_secs(60 * options.minutes);
    let authority = Authority::new();
    let relay = load::Relay::start(&authority)?;
    let collector = load::Collector::start()?;
    let dir = tempfile::tempdir()?;
    let config = json!({
        "instance_name": "cap-soak-1",
        "server": { "listen": "127.0.0.1:0" },
        "database": { "path": dir.path().join("soak.sqlite") },
        "telemetry": { "tracing": { "enabled": true, "endpoint": collector.endpoint(), "sample_rate": 0.1 } },
        "syslog": {
            "enabled": true, "host": relay.addr().ip().to_string(), "port": relay.addr().port(),
            "transport": "tcp+tls", "tls": { "ca": authority.ca_pem() },
        },
    });
    let service = Service::start(dir.path(), &config).await?;
    let to = service.addr;
    let pid = service.process.pid().ok_or_else(|| io::Error::other("it has ended"))?;

    let load = Arc::new(Load::default());
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let load = Arc::clone(&load);
            std::thread::spawn(move || call(to, &load))
        })
        .collect();
    let scraper = Scraper::new(&format!("http://{to}/metrics"));
    let scraping = scraper.run_every(SCRAPE);
    let samples = watch(pid, &load, lasts).await?;
    scraping.stop().await;
    load.stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.join().map_err(|_| io::Error::other("a caller panicked"))??;
    }
    let report = service.stop().await?;
    say(&format!("shutdown: {report}"));
    let mut faults = faults(&samples, &report, relay.records());
    let (scrapes, failed) = (scraper.history().len(), scraper.failures());
    say(&format!("{scrapes} scrapes"));
    if scrapes == 0 || !failed.is_empty() {
        faults.push(format!("{scrapes} scrapes, and failed: {failed:?}"));
    }
    match load.failed.load(Ordering::Relaxed) {
        0 => {}
        failed => faults.push(format!("{failed} requests failed")),
    }
    Ok(faults)
}

fn call(to: SocketAddr, load: &Load) -> io::Result<()> {
    let mut caller = load::Caller::connect(to)?;
    while !load.stop.load(Ordering::Relaxed) {
        let counter = match caller.call()? {
            500.. => &load.failed,
            _ => &load.answered,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// The resident memory of a process, once a second, in bytes.
async fn watch(pid: u32, load: &Load, lasts: Duration) -> io::Result<Vec<f64>> {
    let (start, mut samples) = (Instant::now(), Vec::new());
    let (mut ticks, mut told) = (tokio::time::interval(SAMPLE), 0);
    while start.elapsed() < lasts {
        ticks.tick().await;
        let rss = resident(pid)?;
        samples.push(rss);
        if samples.len().is_multiple_of(60) {
            let answered = load.answered.load(Ordering::Relaxed);
            say(&format!(
                "{:>4} min  {:>7} requests/s  {:>7.1} MiB",
                samples.len() / 60,
                (answered - told) / 60,
                rss / 1024.0 / 1024.0
            ));
            told = answered;
        }
    }
    Ok(samples)
}

fn resident(pid: u32) -> io::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    let kilobytes = kilobytes.ok_or_else(|| io::Error::other("no VmRSS"))?;
    Ok(kilobytes * 1024.0)
}

fn faults(samples: &[f64], report: &Value, received: u64) -> Vec<String> {
    let mut faults = Vec::new();
    let (first, last) = ends(samples);
    let mib = |bytes: f64| bytes / 1024.0 / 1024.0;
    say(&format!("memory after the start {:.1} MiB, at the end {:.1} MiB", mib(first), mib(last)));
    if last - first > (first * SHARE).max(BYTES) {
        faults.push(format!("memory grew from {:.1} to {:.1} MiB", mib(first), mib(last)));
    }
    let number = |pipeline: &str, name: &str| report[pipeline][name].as_u64();
    let sum = |pipeline: &str, names: &[&str]| -> Option<u64> {
        names.iter().map(|name| number(pipeline, name)).sum()
    };
    for (pipeline, whole, parts) in [
        ("tracing", "started", &["exported", "rejected", "dropped", "failed", "pending"][..]),
        ("syslog", "enqueued", &["delivered", "dropped", "queued"]),
    ] {
        let (whole_count, parts_count) = (number(pipeline, whole), sum(pipeline, parts));
        if whole_count.is_none() || whole_count == Some(0) || whole_count != parts_count {
            faults.push(format!(
                "{pipeline}: {whole} {whole_count:?}, and its parts are {parts_count:?}"
            ));
        }
    }
    // A record that two reads of the relay share is not counted.
    let delivered = number("syslog", "delivered").unwrap_or(0);
    say(&format!("the relay has {received} records, {delivered} were delivered"));
    if (received as f64) < 0.99 * delivered as f64 {
        faults.push(format!("the relay has {received} records of {delivered}"));
    }
    faults
}

/// The mean of the fifth after the first one, in which caches fill, and of the last.
fn ends(samples: &[f64]) -> (f64, f64) {
    let fifth = (samples.len() / 5).max(1);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
    let first = &samples[fifth.min(samples.len() - 1)..(2 * fifth).min(samples.len())];
    (mean(first), mean(&samples[samples.len() - fifth..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(delivered: u64) -> Value {
        json!({
            "tracing": { "started": 3, "exported": 2, "rejected": 0, "dropped": 1, "failed": 0, "pending": 0 },
            "syslog": { "enqueued": 100, "delivered": delivered, "dropped": 0, "queued": 0 },
        })
    }

    #[test]
    fn growing_memory_open_accounts_and_missing_records_are_faults() {
        let flat = vec![100e6; 100];
        assert_eq!(faults(&flat, &report(100), 100), [""; 0]);
        let growing: Vec<_> = (0..100).map(|n| 100e6 + f64::from(n) * 1e6).collect();
        assert_eq!(faults(&growing, &report(100), 100).len(), 1);
        assert_eq!(faults(&flat, &report(99), 100).len(), 1);
        assert_eq!(faults(&flat, &report(100), 90).len(), 1);
        assert_eq!(faults(&flat, &Value::Null, 0).len(), 2);
    }
}
