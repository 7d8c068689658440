//! `certautopilot --config FILE`: the reference service as a process.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use ::tracing::Level;
use cap_telemetry::trace::LogFormat;
use cap_telemetry::{Document, Telemetry};
use certautopilot::{AuditLog, Config, Service};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

const USAGE: &str = "usage: certautopilot --config FILE";

/// How long the pipes may take to deliver what is left.
const FLUSH: Duration = Duration::from_secs(5);

/// 2: the configuration is wrong. 1: something else kept the service from running.
enum Failed {
    Configuration(String),
    Running(String),
}

fn main() -> ExitCode {
    let (message, code) = match run() {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failed::Configuration(message)) => (message, 2),
        Err(Failed::Running(message)) => (message, 1),
    };
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(io::stderr(), "certautopilot: {message}");
    ExitCode::from(code)
}

fn run() -> Result<(), Failed> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [option, file] = &arguments[..] else {
        return Err(Failed::Configuration(USAGE.to_owned()));
    };
    if option != "--config" {
        return Err(Failed::Configuration(USAGE.to_owned()));
    }
    // What is to be said before there is a trace pipe to attach to.
    let early = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(Level::INFO)
        .finish();
    let early = ::tracing::subscriber::set_default(early);
    let wrong = |error: cap_telemetry::Error| Failed::Configuration(error.to_string());
    let mut document = Document::read(file).map_err(wrong)?;
    let config = Config::from_document(&mut document).map_err(wrong)?;
    let pipes = cap_telemetry::Config::from_document(&mut document).map_err(wrong)?;
    document.finish().map_err(wrong)?;

    let stopped = |error: &dyn std::fmt::Display| Failed::Running(error.to_string());
    let audit_log = AuditLog::default();
    let telemetry = Telemetry::builder(pipes)
        .backfill(audit_log.clone())
        .start();
    let telemetry = telemetry.map_err(|error| stopped(&error))?;
    drop(early);
    log(&telemetry);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| stopped(&error))?;
    runtime.block_on(serve(config, telemetry.clone(), &audit_log))?;
    // Requests and jobs are over, so nothing is added to the pipes any more.
    let report = telemetry.shutdown(FLUSH);
    say(&json!({ "shutdown": report })).map_err(|error| stopped(&error))
}

/// Log lines carry the ids of the span they belong to, and spans of the `tracing` crate join the traces.
fn log(telemetry: &Telemetry) {
    let lines = tracing_subscriber::fmt::layer()
        .event_format(LogFormat::new(format()))
        .with_writer(io::stderr);
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(telemetry.tracer().bridge())
        .with(lines)
        .init();
}

async fn serve(config: Config, telemetry: Telemetry, log: &AuditLog) -> Result<(), Failed> {
    let stopped = |error: &dyn std::fmt::Display| Failed::Running(error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| stopped(&error))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| stopped(&error))?;
    let service = Service::start_with(config, telemetry, log).await;
    let service = service.map_err(|error| stopped(&error))?;
    say(&json!({ "listening": service.address() })).map_err(|error| stopped(&error))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    if !service.stop().await {
        ::tracing::warn!("requests or jobs were still running when the time to drain was over");
    }
    Ok(())
}

/// One line of JSON on standard output.
fn say(line: &serde_json::Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
