//! The secret that every KEK version is derived from: the stand-in for a key management service.

use std::io;
use std::path::PathBuf;

use ring::hkdf::{HKDF_SHA256, Salt};

use crate::{ids, secret_file};

/// 32 secret bytes, or the file they are read from whenever a version is loaded.
pub(crate) struct MasterKey(Source);

enum Source {
    Bytes([u8; 32]),
    File(PathBuf),
}

impl MasterKey {
    /// A new key that lives as long as the process.
    pub(crate) fn random() -> Self {
        Self(Source::Bytes(ids::random()))
    }

    /// The key in this file, which must exist.
    pub(crate) fn at(file: PathBuf) -> io::Result<Self> {
        let key = Self(Source::File(file));
        key.secret("")?;
        Ok(key)
    }

    /// The key in this file, which is made on the first start.
    pub(crate) fn beside(file: PathBuf) -> io::Result<Self> {
        secret_file::create(&file, &ids::random::<[u8; 32]>())?;
        Self::at(file)
    }

    /// The secret for a use, the same in every replica.
    pub(crate) fn secret(&self, label: &str) -> io::Result<[u8; 32]> {
        let master: [u8; 32] = match &self.0 {
            Source::Bytes(key) => *key,
            Source::File(path) => secret_file::read(path)?.try_into().map_err(|_| {
                let what = "a master key is 32 bytes long, and this is none";
                io::Error::other(format!("{}: {what}", path.display()))
            })?,
        };
        let mut secret = [0; 32];
        Salt::new(HKDF_SHA256, b"")
            .extract(&master)
            .expand(&[label.as_bytes()], HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut secret))
            .expect("HKDF-SHA-256 gives up to 8160 bytes");
        Ok(secret)
    }
}
