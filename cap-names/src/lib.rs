//! The vocabulary of CertAutoPilot telemetry: closed enums and attribute keys, each spelled once.
//!
//! Metrics, spans, audit events and the egress guard share it.
//!
//! ```
//! use cap_names::{ClosedEnum, ErrorClass, attributes};
//!
//! assert_eq!(ErrorClass::IoTransient.as_str(), "io_transient");
//! assert_eq!("auth".parse(), Ok(ErrorClass::Auth));
//! assert_eq!(ErrorClass::ALL.len(), 5);
//! assert_eq!(ErrorClass::from_http_status(503), Some(ErrorClass::IoTransient));
//! assert_eq!(attributes::CERT_ID, "cap.cert.id");
//! ```
//!
//! The crate has no dependencies, does no I/O and knows nothing of metrics, spans or syslog. It
//! holds only words that at least two crates use. A word that one crate uses alone lives in that
//! crate.

#![forbid(unsafe_code)]

mod actor;
mod closed_enum;
mod denial_class;
mod error_class;
mod nearest;
mod route;
mod severity;

pub mod attributes;

pub use actor::{Actor, ActorType};
pub use closed_enum::{ClosedEnum, UnknownValue};
pub use denial_class::DenialClass;
pub use error_class::ErrorClass;
pub use nearest::nearest;
pub use route::route_pattern;
pub use severity::Severity;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
