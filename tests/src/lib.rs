//! Real-protocol receivers, and guards for real peer processes, for the end-to-end tests and the demo.

pub mod audit;
mod authority;
pub mod cef;
pub mod conformance;
pub mod demo;
pub mod fleet;
pub mod load;
mod loopback;
pub mod loss;
mod otlp;
pub mod peers;
pub mod promql;
mod relay;
pub mod rfc5424;
pub mod scrape;
mod server;
pub mod soak;
mod span;
mod tls;
mod trace_tree;
mod webhook;

pub use authority::{Authority, Identity, ServerCertificate};
pub use otlp::{Code, Fault, OtlpReceiver, OtlpRequest};
pub use relay::{ReceivedRecord, RelayFraming, RelayState, SyslogRelay};
pub use scrape::{Scrape, ScrapeError, Scraper, Scraping};
pub use server::ANY_PORT;
pub use span::{ReceivedEvent, ReceivedLink, ReceivedSpan};
pub use tls::Security;
pub use trace_tree::trace_tree;
pub use webhook::{Notification, Webhook};

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
