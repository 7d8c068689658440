//! The main job: the reference service under a workload, and what arrived at the other end of its three pipes.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the demo talks on the terminal"
)]

pub(crate) mod client;
mod outcome;
mod real_acme;
mod receivers;
pub(crate) mod service;
mod show;
mod story;
mod workload;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use certautopilot::acme_server::{AcmeServer, tracing_to};

pub use outcome::Outcome;
pub use receivers::With;

use client::Client;
use receivers::Receivers;
use service::Service;

const USAGE: &str = "usage: cargo xtask demo [--seconds N] [--json FILE] [--peers]";
/// How long the provider's last spans may take to be delivered.
const FLUSH: Duration = Duration::from_secs(5);

/// What the demo is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long the workload lasts at least.
    pub lasts: Duration,
    /// Who receives.
    pub with: With,
    /// Whether progress is shown.
    pub quiet: bool,
}

/// The command line: 0 when every pipe delivered and the accounting closes, 1 when not, 2 for wrong arguments.
pub async fn main(args: &[String]) -> ExitCode {
    let (options, json) = match parse(args) {
        Ok(parsed) => parsed,
        Err(message) => {
            eprintln!("error: {message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let outcome = match run(&options).await {
        Ok(outcome) => outcome,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    show::summary(&outcome);
    if let Some(file) = json {
        let text = format!("{:#}\n", outcome.json());
        if let Err(error) = std::fs::write(&file, text) {
            eprintln!("error: {}: {error}", file.display());
            return ExitCode::FAILURE;
        }
    }
    let faults = outcome.faults();
    for fault in &faults {
        eprintln!("error: {fault}");
    }
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn parse(args: &[String]) -> Result<(Options, Option<PathBuf>), String> {
    let mut options = Options {
        lasts: Duration::from_secs(20),
        with: With::Embedded,
        quiet: false,
    };
    let mut json = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--seconds" => {
                let seconds = value()?;
                let seconds = seconds
                    .parse()
                    .map_err(|_| format!("{seconds:?} is no number of seconds"))?;
                options.lasts = Duration::from_secs(seconds);
            }
            "--json" => json = Some(PathBuf::from(value()?)),
            "--peers" => options.with = With::Peers,
            other => return Err(format!("unknown argument {other:?}")),
        }
    }
    Ok((options, json))
}

/// Runs the demo.
///
/// # Errors
/// When something could not be started or the service did not do what the workload asked. What a pipe failed to deliver is no
/// error here: see [`Outcome::faults`].
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
    let service = Service::start(&acme.url(), &receivers).await?;
    say(&format!(
        "the reference service listens on {}",
        service.addr()
    ));
    receivers.scrape(service.addr()).await?;

    let client = Client::new(service.addr());
    workload::run(&client, &acme, &mut receivers, start + options.lasts, &say).await?;

    if options.with == With::Peers {
        real_acme::issue(&say).await?;
    }
    let primary = workload::audit_log(&client).await?;
    let requests = client.sent();
    let metrics = receivers.metrics(primary.len()).await?;
    say("stopping the service");
    let report = service.stop().await?;
    let calls = acme.calls();
    acme.stop().await;
    let provider = tokio::task::spawn_blocking(move || provider_spans.shutdown(FLUSH)).await?;
    let outcome = receivers
        .outcome(&report, primary, metrics, requests, (calls, provider))
        .await?;
    receivers.stop().await?;
    say("done");
    Ok(outcome)
}
