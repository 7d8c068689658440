//! Why a key was not opened, or a rotation stopped.

use crate::store;

/// An error of the keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The version is not loaded here.
    #[error("KEK version {0} is not loaded on this host")]
    NotLoaded(u32),
    /// The bytes were not made with this key, for this certificate.
    #[error("the key of {0} does not decrypt: it was changed, or another master key is in use")]
    Corrupt(String),
    /// The version cannot be derived from the master key.
    #[error("KEK version {0} cannot be loaded: {1}")]
    Unavailable(u32, std::io::Error),
    /// A rotation is running already.
    #[error("rotation {0} is running: wait until it is complete")]
    Running(String),
    #[error(transparent)]
    Store(#[from] store::Error),
}
