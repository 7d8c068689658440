//! One guard for every outbound connection: the address that is dialed is checked at dial time, after resolution, every
//! time.
//!
//! Telemetry is sent to hosts that an operator configures, from inside a network where some addresses hand out
//! credentials to whoever asks. The [`Guard`] parses a [`Host`] once, resolves it, lets a [`Policy`] check every
//! answer, dials only what was checked, and verifies TLS against one set of roots, the [`Trust`].
//!
//! ```no_run
//! # async fn example() -> Result<(), cap_egress::Error> {
//! use cap_egress::{Connector, Guard, Host, Policy, Trust};
//!
//! let guard = Guard::new(Policy::default());
//! let trust = Trust::system()?;
//!
//! let relay: Host = "relay.example".parse()?;
//! let syslog = guard.connect_tls(&relay, 6514, &trust).await?;
//!
//! // For hyper and tonic; shares the guard's policy and counters.
//! let connector = Connector::new(guard.clone(), trust);
//! # Ok(()) }
//! ```
//!
//! # What it does not do
//!
//! It follows no redirect, takes no proxy from the environment, and pools no connections. It does not replace network
//! policy: private ranges and loopback are allowed by default, Kubernetes services among them.
//!
//! # Security notes
//!
//! - Denied by default, in every spelling and embedding: link-local and cloud-metadata addresses, addresses that are
//!   never a peer, and tunnel prefixes (6to4, Teredo, local-use NAT64). [`Policy`] adds ranges and exempts them.
//! - One denied answer refuses a name. The addresses dialed are those checked, so a second resolution cannot swap them.
//! - A [`Denial`] names a class and a rule, never an address that a name resolved to. [`Guard::denials`] counts them,
//!   and a `tracing` warning with the target `cap_egress` says each, the same one once a minute.
//! - Nothing switches TLS verification off. [`TlsProblem`] says what it refused; no error lists what a certificate is for.
//! - [`Trust`] says where roots come from. The only variables that matter are `SSL_CERT_FILE` and `SSL_CERT_DIR`.
//! - A site's own NAT64 prefix looks like any other address until [`Policy::with_nat64`] names it.

#![forbid(unsafe_code)]

mod causes;
mod connect;
mod connector;
mod error;
mod guard;
mod host;
mod identity;
mod policy;
mod resolve;
mod stage;
mod stream;
mod tls_problem;
mod trust;

pub mod worker;

// Crates before 1.0 whose types are in public signatures.
pub use {hyper_util, rustls, tokio_rustls, tower_service};

pub use cap_names::DenialClass;
pub use connector::Connector;
pub use error::Error;
pub use guard::{Guard, GuardBuilder};
pub use host::Host;
pub use identity::ClientIdentity;
pub use ipnet::IpNet;
pub use policy::{Denial, Nat64Prefix, Policy};
pub use resolve::{Resolve, ResolveFuture, SystemResolver};
pub use stage::Stage;
pub use stream::Stream;
pub use tls_problem::TlsProblem;
pub use trust::Trust;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
