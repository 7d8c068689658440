//! `certautopilot --config FILE`: the reference service as a process.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use cap_telemetry::trace::LogFormat;
use cap_telemetry::{Document, Telemetry};
use certautopilot::{AuditLog, Config, Service};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How long the pipelines may take to deliver the rest.
const FLUSH: Duration = Duration::from_secs(5);

/// A message, and the exit code: 2 for a wrong configuration, 1 for anything else.
struct Failed(String, u8);

fn failed<E: Display>(code: u8) -> impl FnOnce(E) -> Failed {
    move |error| Failed(error.to_string(), code)
}

fn main() -> ExitCode {
    let Err(Failed(message, code)) = run() else { return ExitCode::SUCCESS };
    // An error here means that standard error is closed.
    let _ = writeln!(io::stderr(), "certautopilot: {message}");
    ExitCode::from(code)
}

fn run() -> Result<(), Failed> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let file = match &arguments[..] {
        [option, file] if option == "--config" => file,
        _ => return Err(Failed("usage: certautopilot --config FILE".to_owned(), 2)),
    };
    // For what is logged before there is a span pipeline to attach to.
    let early = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(LevelFilter::INFO)
        .finish();
    let early = tracing::subscriber::set_default(early);
    let mut document = Document::read(file).map_err(failed(2))?;
    let config = Config::from_document(&mut document).map_err(failed(2))?;
    let pipelines = cap_telemetry::Config::from_document(&mut document).map_err(failed(2))?;
    document.finish().map_err(failed(2))?;

    let log = AuditLog::default();
    let telemetry =
        Telemetry::builder(pipelines).backfill(log.clone()).start().map_err(failed(1))?;
    drop(early);
    // Log lines carry the ids of the current span, and spans of the `tracing` crate join the
    // traces.
    let lines = tracing_subscriber::fmt::layer()
        .event_format(LogFormat::new(format()))
        .with_writer(io::stderr);
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(telemetry.tracer().bridge())
        .with(lines)
        .init();
    let runtime = tokio::runtime::Runtime::new().map_err(failed(1))?;
    runtime.block_on(serve(config, telemetry.clone(), &log))?;
    // Requests and jobs are over, so nothing is added to the pipelines any more.
    say(&json!({ "shutdown": telemetry.shutdown(FLUSH) }))
}

async fn serve(config: Config, telemetry: Telemetry, log: &AuditLog) -> Result<(), Failed> {
    let mut terminate = signal(SignalKind::terminate()).map_err(failed(1))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed(1))?;
    let service = Service::start_with(config, telemetry, log).await.map_err(failed(1))?;
    say(&json!({ "listening": service.address() }))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    if !service.stop().await {
        tracing::warn!("requests or jobs were still running when the time to drain was over");
    }
    Ok(())
}

/// One line of JSON on standard output.
fn say(line: &serde_json::Value) -> Result<(), Failed> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(failed(1))
}
