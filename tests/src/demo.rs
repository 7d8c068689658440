//! The reference service under a workload, and what arrived at the other end of its three
//! pipelines.

#![allow(clippy::print_stdout, reason = "the demo talks on the terminal")]

mod alerts;
mod outcome;
mod real_acme;
mod receivers;
mod show;
mod story;
mod trace;
mod workload;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use certautopilot::acme_server::{AcmeServer, tracing_to};
use serde_json::{Value, json};

use crate::command::{self, Parser};
use crate::service::Service;

pub use alerts::Alerts;
pub use outcome::Outcome;
pub use receivers::With;

use receivers::Receivers;

/// How long the provider's last spans may take to be delivered.
const FLUSH: Duration = Duration::from_secs(5);

/// The options of the demo.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long the workload lasts at least.
    pub lasts: Duration,
    /// Our receivers, or real programs.
    pub with: With,
    /// Whether progress is shown.
    pub quiet: bool,
    /// Where the outcome is written as JSON.
    pub json: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { lasts: Duration::from_secs(20), with: With::Embedded, quiet: false, json: None }
    }
}

impl command::Options for Options {
    const USAGE: &str = include_str!("../../xtask/src/usage/demo.txt");

    fn set(&mut self, name: &str, parser: &mut Parser) -> Result<bool, lexopt::Error> {
        match name {
            "seconds" => self.lasts = Duration::from_secs(command::count(parser)?),
            "json" => self.json = Some(parser.value()?.into()),
            "peers" => self.with = With::Peers,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Runs the demo and shows its outcome; returns the [faults](Outcome::faults).
///
/// # Errors
/// As [`run`], and when the file cannot be written.
pub async fn show(options: Options) -> io::Result<Vec<String>> {
    let outcome = run(&options).await?;
    show::summary(&outcome);
    if let Some(file) = &options.json {
        let written = std::fs::write(file, format!("{:#}\n", outcome.json()));
        written.map_err(|error| io::Error::other(format!("{}: {error}", file.display())))?;
    }
    Ok(outcome.faults())
}

/// Runs the demo.
///
/// # Errors
/// When a program cannot be started, or the service does not do what the workload asks. A pipeline
/// that does not deliver is no error here: see [`Outcome::faults`].
pub async fn run(options: &Options) -> io::Result<Outcome> {
    let start = Instant::now();
    let quiet = options.quiet;
    let say = |what: &str| {
        if !quiet {
            println!("[{:5.1} s] {what}", start.elapsed().as_secs_f64());
        }
    };

    let mut receivers = Receivers::start(options.with).await?;
    say(&format!("receivers: {}", receivers.describe()));
    let provider_spans = tracing_to(&receivers.otlp_endpoint()).map_err(io::Error::other)?;
    let acme = AcmeServer::start_traced(([127, 0, 0, 1], 0).into(), provider_spans.clone()).await?;
    let dir = tempfile::tempdir()?;
    let config = configuration(dir.path(), &acme.url(), &receivers)?;
    let service = Service::start(dir.path(), &config).await?;
    say(&format!("the reference service listens on {}", service.addr));
    receivers.scrape(service.addr).await?;

    let client = &service.client;
    workload::run(client, &acme, &mut receivers, start + options.lasts, &say).await?;

    if options.with == With::Peers {
        real_acme::issue(&say).await?;
    }
    let primary = workload::audit_log(client).await?;
    let requests = client.sent();
    let metrics = receivers.metrics(primary.len()).await?;
    say("stopping the service");
    let report = service.stop().await?;
    let calls = acme.calls();
    acme.stop().await;
    let provider = tokio::task::spawn_blocking(move || provider_spans.shutdown(FLUSH)).await?;
    let outcome = receivers.outcome(&report, primary, metrics, requests, (calls, provider)).await?;
    receivers.stop().await?;
    say("done");
    Ok(outcome)
}

/// The service's settings: every pipeline goes to the receivers.
fn configuration(dir: &Path, acme_directory: &str, receivers: &Receivers) -> io::Result<Value> {
    let relay = receivers.relay();
    let deployed = dir.join("deployed");
    std::fs::create_dir(&deployed)?;
    // A license that ends soon: one rule has reason to fire at once.
    let license_end = chrono::Utc::now() + chrono::TimeDelta::days(3);
    Ok(json!({
        "instance_name": "cap-demo-1",
        "server": { "listen": "127.0.0.1:0" },
        "database": { "path": dir.join("demo.sqlite") },
        "acme": { "directory_url": acme_directory },
        "worker": { "backoff": "100ms", "max_attempts": 3 },
        "distribution": { "directory": deployed },
        "license": { "expires_at": license_end.to_rfc3339(), "cert_limit": 1000 },
        "telemetry": { "tracing": {
            "enabled": true,
            "endpoint": receivers.otlp_endpoint(),
            "sample_rate": 1.0,
        }},
        "syslog": {
            "enabled": true,
            "host": relay.ip().to_string(),
            "port": relay.port(),
        },
    }))
}
