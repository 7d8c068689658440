//! What these tests share: configurations from text, and events.

use std::net::{SocketAddr, TcpListener};

use cap_telemetry::names::Actor;
use cap_telemetry::syslog::Event;
use cap_telemetry::{Config, Document, Error, Telemetry};

/// Reads a configuration of the facade's keys alone.
pub(crate) fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, Error> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut document = Document::parse("config.yaml", text, env)?;
    let config = Config::from_document(&mut document)?;
    document.finish()?;
    Ok(config)
}

pub(crate) fn valid(text: &str) -> Config {
    load(text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(crate) fn start(text: &str) -> Telemetry {
    Telemetry::start(valid(text)).expect("started")
}

pub(crate) fn event(id: &str) -> Event {
    Event::new(id, "auth.login", Actor::user("alice"), "Logged in")
}

/// A listener, and its address.
pub(crate) fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

/// An address at which nothing listens.
pub(crate) fn nobody() -> SocketAddr {
    listener().1
}
