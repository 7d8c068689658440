//! Key-encryption keys: the versions this process has loaded, and the private keys they encrypt.

mod keyring;
mod rotation;

pub(crate) use keyring::{Error, Keyring, MasterKey};
pub(crate) use rotation::Rotations;
