//! Support for the tests of every crate of this workspace. It depends on none of those crates.
//!
//! A crate takes it as a dev-dependency with the features it needs:
//!
//! ```toml
//! [dev-dependencies]
//! cap-testkit = { workspace = true, features = ["otlp"] }
//! ```
//!
//! | feature | what it adds |
//! |---|---|
//! | none | [`Authority`], [`Security`] and the rest of TLS, [`Server`], [`Background`], [`until`], [`require!`] |
//! | `otlp` | [`OtlpReceiver`]: a collector of traces over HTTP and gRPC |
//! | `syslog` | [`SyslogRelay`]: a relay over UDP, TCP and TLS; [`rfc5424`]: a strict parser |
//! | `peers` | [`peers`]: guards for real programs; [`Webhook`]; both features above |
//!
//! # Certificates
//!
//! ```
//! use cap_testkit::{Authority, ServerCertificate};
//!
//! let authority = Authority::new();
//! let relay = authority.server(ServerCertificate::Good);
//! let expired = authority.server(ServerCertificate::Expired);
//! let named = authority.server_for(&["relay.example", "127.0.0.2"]);
//! let client = authority.client("collector");
//! assert!(client.key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
//! assert!(authority.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
//! ```
//!
//! [`tls::server_config`] and [`tls::client_config`] make rustls configurations of them.
//! [`Security::acceptor`] makes a Tokio acceptor.
//!
//! # Waits
//!
//! A wait has a bound, and its panic names what did not come:
//!
//! ```
//! use cap_testkit::{LONG, until};
//!
//! let text = std::cell::Cell::new("");
//! # text.set("ready");
//! until("the answer", LONG, || text.get() == "ready");
//! let length = until("a text", LONG, || (!text.get().is_empty()).then(|| text.get().len()));
//! assert_eq!(length, 5);
//! ```
//!
//! [`until_async`] takes an asynchronous condition.
//!
//! # Needs
//!
//! [`require!`] is the only way to need something that a machine may lack. If it is missing, the
//! test ends with a printed line. With `CI=true` the test fails.
//!
//! ```
//! # fn main() {
//! use cap_testkit::require;
//!
//! let shell = require!("sh");
//! let schema = require!(Some("the text of a schema"), "no schema in tests/schemas");
//! # assert!(shell.is_absolute() && schema.starts_with("the"));
//! # }
//! ```
//!
//! # Receivers
//!
//! A receiver runs on the caller's Tokio runtime, or with [`Background`] on its own thread. It
//! takes [`ANY_PORT`], comes back on the port it had, and misbehaves on request.
//!
#![cfg_attr(feature = "otlp", doc = "```")]
#![cfg_attr(not(feature = "otlp"), doc = "```ignore")]
//! use cap_testkit::{Background, Fault, LONG, OtlpReceiver, until};
//!
//! let collector = Background::start(OtlpReceiver::start)?;
//! collector.inject(Fault::status(503));
//! // … export to collector.endpoint() …
//! # if false {
//! until("the retry", LONG, || collector.requests().len() == 2);
//! assert_eq!(collector.spans()[0].kind, "client");
//! # }
//! # std::io::Result::Ok(())
//! ```
//!
#![cfg_attr(feature = "syslog", doc = "```")]
#![cfg_attr(not(feature = "syslog"), doc = "```ignore")]
//! use cap_testkit::{ANY_PORT, Authority, RelayFraming, Security, ServerCertificate, SyslogRelay};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let identity = Authority::new().server(ServerCertificate::Good);
//! let security = Security::Tls(&identity);
//! let relay = SyslogRelay::start_with(ANY_PORT, RelayFraming::OctetCounting, security).await?;
//! // … send to relay.addr() …
//! assert!(relay.stop().await.records.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Real programs
//!
#![cfg_attr(feature = "peers", doc = "```no_run")]
#![cfg_attr(not(feature = "peers"), doc = "```ignore")]
//! use cap_testkit::peers::Prometheus;
//! use cap_testkit::require;
//! use std::time::Duration;
//!
//! # async fn example() {
//! let program = require!("prometheus");
//! let every = Duration::from_millis(100);
//! let prometheus = Prometheus::start(&program, &["127.0.0.1:9464"], "", every).await;
//! let up = prometheus.expect("it starts").query("up").await.expect("an answer");
//! assert_eq!(up[0]["value"][1], "1");
//! # }
//! ```

mod authority;
mod background;
#[cfg(feature = "peers")]
mod get;
mod loopback;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "peers")]
pub mod peers;
#[cfg(feature = "syslog")]
mod relay;
mod require;
#[cfg(feature = "syslog")]
pub mod rfc5424;
mod server;
pub mod tls;
mod wait;
#[cfg(feature = "peers")]
mod webhook;

pub use authority::{Authority, Identity, ServerCertificate};
pub use background::Background;
#[cfg(feature = "peers")]
pub use get::{Get, Http};
pub use loopback::free_addr;
#[cfg(feature = "otlp")]
pub use otlp::{Code, Fault, OtlpReceiver, OtlpRequest, ReceivedEvent, ReceivedLink, ReceivedSpan};
#[cfg(feature = "syslog")]
pub use relay::{Deframer, FrameError, ReceivedRecord, RelayFraming, RelayState, SyslogRelay};
#[doc(hidden)]
pub use require::found_or_skipped;
pub use require::{find, program};
pub use server::{ANY_PORT, Io, Server, bind_to, listen};
pub use tls::Security;
#[cfg(any(feature = "otlp", feature = "syslog"))]
pub use wait::holds;
pub use wait::{Awaited, LONG, until, until_async};
#[cfg(feature = "peers")]
pub use webhook::{Notification, NotifiedAlert, Webhook};
