//! The secret that every KEK version is derived from: the stand-in's replacement for a key management service.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::cipher::KEY_LENGTH;
use crate::store::Location;

/// 32 secret bytes, or the file they are read from whenever a version is loaded.
pub struct MasterKey(Source);

enum Source {
    Bytes([u8; KEY_LENGTH]),
    File(PathBuf),
}

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
                Self::file(&file)
            }
        }
    }

    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn random() -> io::Result<Self> {
        let mut key = [0; KEY_LENGTH];
        fill(&mut key)?;
        Ok(MasterKey(Source::Bytes(key)))
    }

    /// The one in this file, which is not made.
    ///
    /// # Errors
    /// When the file cannot be read, or is not such a key.
    pub fn at(path: &Path) -> io::Result<Self> {
        read(path)?;
        Ok(MasterKey(Source::File(path.to_owned())))
    }

    fn file(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let mut key = [0; KEY_LENGTH];
                fill(&mut key)?;
                file.write_all(&key)?;
                file.sync_all()?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        read(path)?;
        Ok(MasterKey(Source::File(path.to_owned())))
    }

    /// The KEK of this version, always the same one.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub(super) fn version(&self, version: u32) -> io::Result<[u8; KEY_LENGTH]> {
        self.secret(&format!("certautopilot kek {version}"))
    }

    /// A secret of another use, the same in every replica.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn secret(&self, label: &str) -> io::Result<[u8; KEY_LENGTH]> {
        let master = match &self.0 {
            Source::Bytes(key) => *key,
            Source::File(path) => read(path)?,
        };
        let mut secret = [0; KEY_LENGTH];
        Salt::new(HKDF_SHA256, b"")
            .extract(&master)
            .expand(&[label.as_bytes()], HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut secret))
            .expect("HKDF-SHA-256 gives up to 8160 bytes");
        Ok(secret)
    }
}

fn fill(key: &mut [u8; KEY_LENGTH]) -> io::Result<()> {
    let filled = SystemRandom::new().fill(key);
    filled.map_err(|_| io::Error::other("the system gave no random bytes"))
}

fn read(path: &Path) -> io::Result<[u8; KEY_LENGTH]> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let bytes = std::fs::read(path).map_err(named)?;
    bytes.try_into().map_err(|_| {
        named(io::Error::other(
            "not a master key: it is not 32 bytes long",
        ))
    })
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}
