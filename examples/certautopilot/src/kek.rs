//! Key-encryption keys: the versions this process has loaded, and envelope encryption with them.
//!
//! Every private key is sealed under a data key of its own, and the data key is wrapped by the
//! current KEK. A rotation re-wraps the data keys and never touches what they seal.

mod error;
mod keyring;
mod master;
mod rotation;

pub use error::Error;
pub use keyring::Keyring;
pub use master::MasterKey;
pub use rotation::Rotations;
