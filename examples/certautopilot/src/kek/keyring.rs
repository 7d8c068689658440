//! The KEK versions that are loaded here, the master key that they are derived from, and their
//! state as gauges.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use cap_telemetry::metrics::{
    HostKek, KekLaggards, KekRotation, KekState, KekVersion, Metrics, Outcome,
};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};

use crate::certificate::WrappedKey;
use crate::store::{self, hosts::Report};
use crate::sync::lock;
use crate::{beside, ids};

/// The label of the `provider`.
const PROVIDER: &str = "local";

/// Why a key was not opened, or a rotation stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("KEK version {0} is not loaded on this host")]
    NotLoaded(u32),
    /// The bytes were not made with this key, for this certificate.
    #[error("the key of {0} does not decrypt: it was changed, or another master key is in use")]
    Corrupt(String),
    #[error("KEK version {0} cannot be loaded: {1}")]
    Unavailable(u32, io::Error),
    #[error("rotation {0} is running: wait until it is complete")]
    Running(String),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The stand-in for a key management service: 32 secret bytes, or the file they are read from
/// whenever a version is loaded.
pub(crate) enum MasterKey {
    Bytes([u8; 32]),
    File(PathBuf),
}

impl MasterKey {
    /// The key in this file, which must exist.
    pub(crate) fn at(file: PathBuf) -> io::Result<Self> {
        let key = Self::File(file);
        key.secret("")?;
        Ok(key)
    }

    /// The key in this file, which is made on the first start.
    pub(crate) fn beside(file: PathBuf) -> io::Result<Self> {
        beside::create(&file, &ids::random::<[u8; 32]>())?;
        Self::at(file)
    }

    /// A new key that lives as long as the process.
    pub(crate) fn random() -> Self {
        Self::Bytes(ids::random())
    }

    /// The secret for a use, the same in every replica.
    pub(crate) fn secret(&self, label: &str) -> io::Result<[u8; 32]> {
        let master: [u8; 32] = match self {
            Self::Bytes(key) => *key,
            Self::File(path) => beside::read(path)?.try_into().map_err(|_| {
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

pub(crate) struct Keyring {
    host: String,
    master: MasterKey,
    metrics: Metrics,
    state: Mutex<State>,
}

struct State {
    /// Every version there ever was here; `None` once it is unloaded.
    versions: BTreeMap<u32, Option<LessSafeKey>>,
    current: u32,
    /// The version that all replicas must load, and how many have not.
    laggards: (u32, u64),
    /// The latest rotation, and its progress from 0 to 1.
    rotation: Option<(String, f64)>,
}

impl Keyring {
    /// A keyring that has the versions in use loaded, and wraps with the current one.
    pub(crate) fn new(
        host: &str,
        master: MasterKey,
        (in_use, current): (Vec<u32>, u32),
        metrics: Metrics,
    ) -> Result<Self, Error> {
        metrics.kek().register([PROVIDER]);
        let versions = BTreeMap::new();
        let state = State { versions, current, laggards: (current, 0), rotation: None };
        let keyring = Self { host: host.to_owned(), master, metrics, state: Mutex::new(state) };
        for version in in_use.into_iter().chain([current]) {
            keyring.load(version)?;
        }
        Ok(keyring)
    }

    pub(crate) fn wrap(&self, certificate: &str, key: &[u8]) -> Result<WrappedKey, Error> {
        let state = lock(&self.state);
        let wrapped = state.key(state.current).map(|kek| seal(kek, certificate, key));
        self.metrics.kek().record_wrapped(PROVIDER, Outcome::from(wrapped.is_ok()));
        Ok(WrappedKey { wrapped: wrapped?, kek_version: state.current })
    }

    pub(crate) fn unwrap(&self, certificate: &str, key: &WrappedKey) -> Result<Vec<u8>, Error> {
        let mut state = lock(&self.state);
        // A replica that has switched already may have wrapped it.
        if !state.versions.contains_key(&key.kek_version) {
            let _ = self.load_into(&mut state, key.kek_version);
            self.publish(&state);
        }
        let kek = state.key(key.kek_version);
        let plain = kek.and_then(|kek| open(kek, certificate, &key.wrapped));
        self.metrics.kek().record_unwrapped(PROVIDER, Outcome::from(plain.is_ok()));
        plain
    }

    /// Loads a version, if it is not.
    pub(crate) fn load(&self, version: u32) -> Result<(), Error> {
        self.change(|state| self.load_into(state, version))
    }

    /// Loads a version, if it is not, and wraps with it from now on.
    pub(crate) fn advance(&self, version: u32) -> Result<(), Error> {
        self.change(|state| {
            self.load_into(state, version)?;
            state.current = version;
            Ok(())
        })
    }

    /// What this replica tells the others.
    pub(crate) fn report(&self) -> Report {
        let state = lock(&self.state);
        let loaded = |(version, key): (&u32, &Option<_>)| key.is_some().then_some(*version);
        let loaded = state.versions.iter().filter_map(loaded).collect();
        Report { host: self.host.clone(), current: state.current, loaded }
    }

    /// Publishes how many replicas have not loaded the version that all must load.
    pub(crate) fn lag(&self, target: u32, laggards: u64) {
        self.change(|state| state.laggards = (target, laggards));
    }

    pub(crate) fn unload_old(&self) {
        self.change(|state| {
            let old = state.versions.iter_mut().filter(|(version, _)| **version != state.current);
            old.for_each(|(_, key)| *key = None);
        });
    }

    /// Publishes the progress of a rotation, from 0 to 1; at 1 it is over.
    pub(crate) fn progress(&self, rotation: &str, done: f64) {
        self.change(|state| state.rotation = Some((rotation.to_owned(), done)));
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let changed = change(&mut state);
        self.publish(&state);
        changed
    }

    fn load_into(&self, state: &mut State, version: u32) -> Result<(), Error> {
        if state.key(version).is_err() {
            let label = format!("certautopilot kek {version}");
            let unavailable = |error| Error::Unavailable(version, error);
            let secret = self.master.secret(&label).map_err(unavailable)?;
            state.versions.insert(version, Some(cipher(&secret)));
        }
        Ok(())
    }

    fn publish(&self, state: &State) {
        let host = || self.host.clone();
        let mut published = KekState::default();
        for (version, key) in &state.versions {
            let version = u64::from(*version);
            published.versions.push(match key {
                Some(_) => KekVersion::loaded(host(), version),
                None => KekVersion::missing(host(), version),
            });
        }
        published.current = vec![HostKek::new(host(), u64::from(state.current))];
        let (target, laggards) = state.laggards;
        published.laggards = vec![KekLaggards::new(u64::from(target), laggards)];
        published.rotations.extend(state.rotation.iter().map(|(id, done)| match *done < 1.0 {
            true => KekRotation::active(id, *done),
            false => KekRotation::finished(id, *done),
        }));
        self.metrics.kek().set_state(&published);
    }
}

impl State {
    fn key(&self, version: u32) -> Result<&LessSafeKey, Error> {
        let loaded = self.versions.get(&version).and_then(Option::as_ref);
        loaded.ok_or(Error::NotLoaded(version))
    }
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes 32 bytes"))
}

/// The nonce, then the ciphertext, which is bound to the certificate, and its tag. Nonces are
/// random; one key stays far below the 2³² messages that NIST SP 800-38D allows with such nonces.
fn seal(key: &LessSafeKey, certificate: &str, plain: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE_LEN] = ids::random();
    let (mut body, aad) = (plain.to_vec(), Aad::from(certificate.as_bytes()));
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body)
        .expect("a key is short enough for AES-GCM");
    [&nonce[..], &body].concat()
}

fn open(key: &LessSafeKey, certificate: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let corrupt = || Error::Corrupt(certificate.to_owned());
    let (nonce, body) = sealed.split_first_chunk().ok_or_else(corrupt)?;
    let (mut body, aad) = (body.to_vec(), Aad::from(certificate.as_bytes()));
    let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut body);
    Ok(plain.map_err(|_| corrupt())?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_sealed_for_one_certificate_opens_for_no_other() {
        let key = cipher(&[7; 32]);
        let sealed = seal(&key, "crt_1", b"secret");
        assert_eq!(open(&key, "crt_1", &sealed).unwrap(), b"secret");
        let other = open(&key, "crt_2", &sealed).unwrap_err();
        assert!(matches!(other, Error::Corrupt(id) if id == "crt_2"));
        assert!(open(&key, "crt_1", &sealed[..8]).is_err());
    }
}
