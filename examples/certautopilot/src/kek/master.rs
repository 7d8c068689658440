//! The secret that every KEK version is derived from: the stand-in's replacement for a key management service.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::cipher::KEY_LENGTH;
use crate::store::Location;

/// 32 secret bytes.
pub struct MasterKey([u8; KEY_LENGTH]);

impl MasterKey {
    /// The master key that belongs to a database: in a file beside it that only its owner can read, made on the first start; a
    /// database in memory has one that lives as long.
    ///
    /// # Errors
    /// When the file cannot be read or made, or is not such a key.
    pub fn beside(database: &Location) -> io::Result<Self> {
        match database {
            Location::Memory => Self::random(),
            Location::File(path) => {
                let mut file = path.clone().into_os_string();
                file.push(".key");
                let file = PathBuf::from(file);
                Self::file(&file).map_err(|error| {
                    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
                })
            }
        }
    }

    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn random() -> io::Result<Self> {
        let mut key = [0; KEY_LENGTH];
        SystemRandom::new()
            .fill(&mut key)
            .map_err(|_| io::Error::other("the system gave no random bytes"))?;
        Ok(MasterKey(key))
    }

    fn file(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let key = Self::random()?;
                file.write_all(&key.0)?;
                file.sync_all()?;
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let mut bytes = Vec::new();
                OpenOptions::new()
                    .read(true)
                    .open(path)?
                    .read_to_end(&mut bytes)?;
                let key = bytes
                    .try_into()
                    .map_err(|_| io::Error::other("not a master key: it is not 32 bytes long"))?;
                Ok(MasterKey(key))
            }
            Err(error) => Err(error),
        }
    }

    /// The KEK of this version, always the same one.
    pub(super) fn version(&self, version: u32) -> [u8; KEY_LENGTH] {
        let mut kek = [0; KEY_LENGTH];
        let label = format!("certautopilot kek {version}");
        Salt::new(HKDF_SHA256, b"")
            .extract(&self.0)
            .expand(&[label.as_bytes()], HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut kek))
            .expect("HKDF-SHA-256 gives up to 8160 bytes");
        kek
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}
