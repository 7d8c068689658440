//! One guard for every outbound connection: it checks each address after resolution, at dial time.
//!
//! Telemetry goes to hosts that an operator configures, from inside a network where some addresses
//! give credentials to any caller. A [`Guard`] therefore connects in these steps:
//!
//! 1. A [`Host`] is parsed once.
//! 2. The guard resolves it, once for each connect.
//! 3. A [`Policy`] checks every answer.
//! 4. The guard dials only checked addresses.
//! 5. [`Trust`], one set of roots, verifies TLS.
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
//! [`worker`] is apart from that: the thread on which a pipeline sends, with its runtime and its
//! stop signal.
//!
//! # What it does not do
//!
//! It follows no redirect, takes no proxy from the environment, and pools no connections. It does
//! not replace network policy: private ranges and loopback are allowed by default, and Kubernetes
//! services are among them.
//!
//! # Security notes
//!
//! - The default policy denies link-local and cloud metadata addresses, addresses that are not
//!   unicast, and tunnel prefixes (6to4, Teredo, local-use NAT64), in every spelling and embedding.
//!   [`Policy`] adds ranges and exempts them.
//! - One denied answer refuses the name. The guard dials the addresses that it checked, so a second
//!   resolution cannot swap them.
//! - A [`Denial`] names a class and a rule, and never an address that a name resolved to.
//!   [`Guard::denials`] counts denials. A `tracing` warning with the target `cap_egress` reports
//!   each, and the same one at most once a minute.
//! - Nothing switches TLS verification off. [`TlsProblem`] says what TLS refused. No error lists
//!   the names in a certificate.
//! - [`Trust`] says where roots come from. Only two variables matter: `SSL_CERT_FILE` and
//!   `SSL_CERT_DIR`.
//! - The policy treats a site's own NAT64 prefix as any other address until [`Policy::with_nat64`]
//!   names it.

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
