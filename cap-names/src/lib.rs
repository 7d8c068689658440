//! The vocabulary of CertAutoPilot telemetry: the closed sets and attribute keys that metrics, spans and audit events
//! share, each spelled once.
//!
//! ```
//! use cap_names::{Closed, ErrorClass, keys};
//!
//! assert_eq!(ErrorClass::IoTransient.as_str(), "io_transient");
//! assert_eq!("auth".parse(), Ok(ErrorClass::Auth));
//! assert_eq!(ErrorClass::ALL.len(), 5);
//! assert_eq!(keys::CERT_ID, "cap.cert.id");
//! ```
//!
//! The crate has no dependencies, does no I/O and knows nothing of metrics, spans or syslog. It holds only what at least
//! two of the pipes say; a word that one pipe uses alone lives in that pipe's crate.

#![forbid(unsafe_code)]

mod closed;
mod nearest;
mod route;
mod vocabulary;

pub mod keys;

pub use closed::{Closed, Unknown};
pub use nearest::nearest;
pub use route::route_pattern;
pub use vocabulary::{Actor, ActorType, ErrorClass, Severity};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
