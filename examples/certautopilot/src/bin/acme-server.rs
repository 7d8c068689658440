//! `acme-server --listen ADDRESS`: the provider on its own, for people.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use certautopilot::acme_server::AcmeServer;

const USAGE: &str = "usage: acme-server --listen ADDRESS (such as 127.0.0.1:14000)";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let address = match &arguments[..] {
        [option, address] if option == "--listen" => address.parse::<SocketAddr>().ok(),
        _ => None,
    };
    let Some(address) = address else {
        let _ = writeln!(io::stderr(), "{USAGE}");
        return ExitCode::from(2);
    };
    match serve(address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "acme-server: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: SocketAddr) -> io::Result<()> {
    let server = AcmeServer::start(address).await?;
    let line = serde_json::json!({ "directory": server.url() });
    writeln!(io::stdout(), "{line}")?;
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    Ok(())
}
