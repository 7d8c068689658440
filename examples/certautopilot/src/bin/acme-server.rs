//! `acme-server --listen ADDRESS [--otlp ENDPOINT]`: the provider on its own, for people.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use cap_telemetry::trace::Tracing;
use certautopilot::acme_server::{AcmeServer, tracing_to};

const USAGE: &str = "usage: acme-server --listen ADDRESS (such as 127.0.0.1:14000) [--otlp ENDPOINT (such as http://127.0.0.1:4318)]";
/// How long the last spans may take to be delivered.
const FLUSH: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (address, collector) = match arguments[..] {
        ["--listen", address] => (address.parse::<SocketAddr>().ok(), None),
        ["--listen", address, "--otlp", collector] => (address.parse().ok(), Some(collector)),
        _ => (None, None),
    };
    let Some(address) = address else {
        let _ = writeln!(io::stderr(), "{USAGE}");
        return ExitCode::from(2);
    };
    let tracing = match collector.map_or(Ok(Tracing::disabled()), tracing_to) {
        Ok(tracing) => tracing,
        Err(error) => {
            let _ = writeln!(io::stderr(), "acme-server: --otlp: {error}");
            return ExitCode::from(2);
        }
    };
    match serve(address, tracing).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "acme-server: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: SocketAddr, tracing: Tracing) -> io::Result<()> {
    let server = AcmeServer::start_traced(address, tracing.clone()).await?;
    let line = serde_json::json!({ "directory": server.url() });
    writeln!(io::stdout(), "{line}")?;
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    tokio::task::block_in_place(|| tracing.shutdown(FLUSH));
    Ok(())
}
