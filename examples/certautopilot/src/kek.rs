//! Key-encryption keys: the versions this process has loaded, and the private keys they encrypt.

mod error;
mod keyring;
mod master;
mod rotation;

pub(crate) use error::Error;
pub(crate) use keyring::Keyring;
pub(crate) use master::MasterKey;
pub(crate) use rotation::Rotations;
