//! One connection to a relay, on which the forwarder and the probe both stand.

mod error;
mod link;
mod settings;
pub(crate) mod tcp;
mod tls;

pub use error::RelayError;
pub(crate) use error::{class, tls_problem};
pub(crate) use link::Link;
pub(crate) use settings::Settings;
pub(crate) use tls::Encryption;
