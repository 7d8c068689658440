//! `acme-server --listen ADDRESS [--otlp ENDPOINT]`: the provider on its own, for people.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use cap_telemetry::trace::Tracer;
use certautopilot::acme_server::{AcmeServer, tracing_to};

const USAGE: &str = "usage: acme-server --listen ADDRESS [--otlp ENDPOINT], such as \
                     --listen 127.0.0.1:14000 --otlp http://127.0.0.1:4318";
/// How long the last spans may take to be delivered.
const FLUSH: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (address, collector) = match arguments[..] {
        ["--listen", address] => (address, None),
        ["--listen", address, "--otlp", collector] => (address, Some(collector)),
        _ => ("", None),
    };
    let tracer = collector.map_or(Ok(Tracer::disabled()), tracing_to);
    let (message, code) = match (address.parse(), tracer) {
        (Err(_), _) => (USAGE.to_owned(), 2),
        (_, Err(error)) => (format!("acme-server: --otlp: {error}"), 2),
        (Ok(address), Ok(tracer)) => match serve(address, tracer).await {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => (format!("acme-server: {address}: {error}"), 1),
        },
    };
    let _ = writeln!(io::stderr(), "{message}");
    ExitCode::from(code)
}

async fn serve(address: SocketAddr, tracer: Tracer) -> io::Result<()> {
    let server = AcmeServer::start_traced(address, tracer.clone()).await?;
    let line = serde_json::json!({ "directory": server.url() });
    writeln!(io::stdout(), "{line}")?;
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    tokio::task::block_in_place(|| tracer.shutdown(FLUSH));
    Ok(())
}
