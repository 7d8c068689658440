//! Key-encryption keys: the versions this process has loaded, and envelope encryption with them.
//!
//! Every private key is sealed under a data key of its own, and the data key is wrapped by the current KEK. A rotation
//! re-wraps the data keys and never touches what they seal.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cap_telemetry::metrics::{
    HostKek, KekLaggards, KekRotation, KekState, KekVersion, Metrics, Outcome,
};
use ring::rand::{SecureRandom as _, SystemRandom};

mod background;
mod cipher;
mod master;
mod rotation;

pub use master::MasterKey;
pub use rotation::{Rotations, RunError, StartError};

pub(crate) use background::finish;

use crate::store::certificates::SealedKey;
use crate::store::hosts::Report;
use crate::store::kek::WrappedKey;
use cipher::{Cipher, KEY_LENGTH};

/// The label of the `provider` that this keyring is.
pub(crate) const PROVIDER: &str = "local";

/// The KEK versions of this process.
pub struct Keyring {
    host: String,
    master: MasterKey,
    metrics: Metrics,
    state: Mutex<State>,
}

struct State {
    /// Every version there ever was here; an unloaded one has no cipher.
    versions: BTreeMap<u32, Option<Cipher>>,
    current: u32,
    /// The version that all replicas are to have, and how many have not.
    laggards: (u32, u64),
    rotations: Vec<KekRotation>,
}

/// Why a key was not wrapped or unwrapped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The version is not loaded here.
    #[error("KEK version {0} is not loaded on this host")]
    NotLoaded(u32),
    /// The bytes were not made with this key, for this certificate.
    #[error("the key of {0} does not decrypt: it was changed, or another master key is in use")]
    Corrupt(String),
    /// The system has no randomness.
    #[error("the system gave no random bytes")]
    NoRandomness,
    /// The version cannot be made from the master key.
    #[error("KEK version {0} cannot be loaded: {1}")]
    Unavailable(u32, String),
}

impl Keyring {
    /// A keyring with these versions loaded, that wraps with `current`.
    ///
    /// # Errors
    /// When the master key cannot be read.
    pub fn new(
        host: impl Into<String>,
        master: MasterKey,
        in_use: impl IntoIterator<Item = u32>,
        current: u32,
        metrics: Metrics,
    ) -> Result<Self, Error> {
        metrics.kek().register([PROVIDER]);
        let versions = in_use.into_iter().chain([current]);
        let versions = versions
            .map(|version| Ok((version, Some(derived(&master, version)?))))
            .collect::<Result<_, Error>>()?;
        let keyring = Keyring {
            host: host.into(),
            master,
            metrics,
            state: Mutex::new(State {
                versions,
                current,
                laggards: (current, 0),
                rotations: Vec::new(),
            }),
        };
        keyring.publish(&keyring.state());
        Ok(keyring)
    }

    /// Seals a private key for a certificate, under a new data key.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal(&self, certificate: &str, private_key: &[u8]) -> Result<SealedKey, Error> {
        let mut data_key = [0; KEY_LENGTH];
        SystemRandom::new()
            .fill(&mut data_key)
            .map_err(|_| Error::NoRandomness)?;
        let sealed = Cipher::new(&data_key).seal(certificate, private_key)?;
        let (kek_version, wrapped) = self.wrap(certificate, &data_key)?;
        Ok(SealedKey {
            sealed,
            wrapped,
            kek_version,
        })
    }

    /// Opens a private key.
    ///
    /// # Errors
    /// When its KEK is not loaded, or the bytes are not its own.
    pub fn open(&self, certificate: &str, key: &SealedKey) -> Result<Vec<u8>, Error> {
        let data_key = self.unwrap(certificate, key.kek_version, &key.wrapped)?;
        let data_key: [u8; KEY_LENGTH] = data_key
            .try_into()
            .map_err(|_| Error::Corrupt(certificate.to_owned()))?;
        Cipher::new(&data_key).open(certificate, &key.sealed)
    }

    /// The data key wrapped by the current version instead, and that version.
    ///
    /// # Errors
    /// When its KEK is not loaded, or the bytes are not its own.
    pub fn rewrap(&self, key: &WrappedKey) -> Result<(u32, Vec<u8>), Error> {
        let data_key = self.unwrap(&key.certificate, key.kek_version, &key.wrapped)?;
        self.wrap(&key.certificate, &data_key)
    }

    /// Loads a version, if it is not.
    ///
    /// # Errors
    /// When the master key cannot be read.
    pub fn load(&self, version: u32) -> Result<(), Error> {
        let mut state = self.state();
        self.load_into(&mut state, version)
    }

    /// Loads a version, if it is not, and wraps with it from now on.
    ///
    /// # Errors
    /// When the master key cannot be read.
    pub fn advance(&self, version: u32) -> Result<(), Error> {
        let mut state = self.state();
        self.load_into(&mut state, version)?;
        state.current = version;
        self.publish(&state);
        Ok(())
    }

    /// What this replica tells the others.
    pub fn report(&self) -> Report {
        let state = self.state();
        let loaded = state.versions.iter().filter(|(_, cipher)| cipher.is_some());
        Report {
            host: self.host.clone(),
            current: state.current,
            loaded: loaded.map(|(version, _)| *version).collect(),
        }
    }

    /// Publishes how many replicas have not loaded the version that all are to have.
    pub fn lag(&self, target: u32, laggards: u64) {
        let mut state = self.state();
        if state.laggards != (target, laggards) {
            state.laggards = (target, laggards);
            self.publish(&state);
        }
    }

    /// Forgets every version but the current one.
    pub fn unload_old(&self) {
        let mut state = self.state();
        let current = state.current;
        for (version, cipher) in &mut state.versions {
            if *version != current {
                *cipher = None;
            }
        }
        self.publish(&state);
    }

    /// Publishes how far a rotation is, from 0 to 1; at 1 it is over.
    pub fn progress(&self, rotation: &str, done: f64) {
        let mut state = self.state();
        state
            .rotations
            .retain(|known| known.active && known.id != rotation);
        state.rotations.push(match done < 1.0 {
            true => KekRotation::active(rotation, done),
            false => KekRotation::finished(rotation, done),
        });
        self.publish(&state);
    }

    fn wrap(&self, certificate: &str, data_key: &[u8]) -> Result<(u32, Vec<u8>), Error> {
        let state = self.state();
        let wrapped = state
            .cipher(state.current)
            .and_then(|kek| kek.seal(certificate, data_key));
        let outcome = Outcome::from(wrapped.is_ok());
        self.metrics.kek().record_wrapped(PROVIDER, outcome);
        Ok((state.current, wrapped?))
    }

    fn unwrap(&self, certificate: &str, version: u32, wrapped: &[u8]) -> Result<Vec<u8>, Error> {
        let mut state = self.state();
        // A replica that has switched already may have wrapped it.
        if !state.versions.contains_key(&version) {
            let _ = self.load_into(&mut state, version);
        }
        let data_key = state
            .cipher(version)
            .and_then(|kek| kek.open(certificate, wrapped));
        let outcome = Outcome::from(data_key.is_ok());
        self.metrics.kek().record_unwrapped(PROVIDER, outcome);
        data_key
    }

    fn load_into(&self, state: &mut State, version: u32) -> Result<(), Error> {
        if state.cipher(version).is_err() {
            let cipher = derived(&self.master, version)?;
            state.versions.insert(version, Some(cipher));
            self.publish(state);
        }
        Ok(())
    }

    fn publish(&self, state: &State) {
        let host = || self.host.clone();
        let loaded = state.versions.iter();
        let (target, laggards) = state.laggards;
        let mut published = KekState::default();
        published.versions = loaded
            .map(|(version, cipher)| match cipher {
                Some(_) => KekVersion::loaded(host(), u64::from(*version)),
                None => KekVersion::missing(host(), u64::from(*version)),
            })
            .collect();
        published.current = vec![HostKek::new(host(), u64::from(state.current))];
        published.laggards = vec![KekLaggards::new(u64::from(target), laggards)];
        published.rotations = state.rotations.clone();
        self.metrics.kek().set_state(&published);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn derived(master: &MasterKey, version: u32) -> Result<Cipher, Error> {
    let key = master.version(version);
    let key = key.map_err(|error| Error::Unavailable(version, error.to_string()))?;
    Ok(Cipher::new(&key))
}

impl State {
    fn cipher(&self, version: u32) -> Result<&Cipher, Error> {
        let loaded = self.versions.get(&version).and_then(Option::as_ref);
        loaded.ok_or(Error::NotLoaded(version))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Keyring")
            .field("host", &self.host)
            .field("current", &state.current)
            .field("versions", &state.versions.keys())
            .finish_non_exhaustive()
    }
}
