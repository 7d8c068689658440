//! Key-encryption keys.

use cap_names::Closed as _;

use crate::Metrics;
use crate::labels::Outcome;

/// Records the KEK state of the cluster and the use of the keys.
#[derive(Clone, Copy, Debug)]
pub struct Kek<'a>(pub(crate) &'a Metrics);

/// The KEK state of the cluster, replaced as a whole so that a host or rotation that is gone leaves no series.
#[derive(Clone, Debug, Default)]
pub struct KekState {
    /// Host, version, and whether the host has it loaded.
    pub loaded: Vec<(String, u64, bool)>,
    /// Host, and the version it encrypts with.
    pub current: Vec<(String, u64)>,
    /// Target version, and how many hosts do not have it loaded.
    pub laggards: Vec<(u64, u64)>,
    /// Running or just finished rotation: its id, whether it is running, and the share done, 0 to 1.
    pub rotations: Vec<(String, bool, f64)>,
}

impl Kek<'_> {
    /// Names every KEK provider in use, once, at start-up: their counters stand at 0 from then on.
    pub fn register<'n>(&self, providers: impl IntoIterator<Item = &'n str>) {
        let kek = &self.0.inner.families.kek;
        for name in providers {
            let provider = self.0.inner.words.kek_provider(name);
            for outcome in Outcome::ALL {
                kek.wrap.touch((provider, *outcome));
                kek.unwrap.touch((provider, *outcome));
            }
        }
    }

    /// Replaces the state.
    pub fn set_state(&self, state: &KekState) {
        let kek = &self.0.inner.families.kek;
        let as_value = |on: bool| f64::from(u8::from(on));
        kek.loaded_versions
            .replace(state.loaded.iter().map(|(host, version, loaded)| {
                ([host.clone(), version.to_string()], as_value(*loaded))
            }));
        kek.current_version.replace_highest(
            state
                .current
                .iter()
                .map(|(host, version)| ([host], *version as f64)),
        );
        kek.laggards.replace(
            state
                .laggards
                .iter()
                .map(|(target, hosts)| ([target.to_string()], *hosts as f64)),
        );
        kek.rotation_active.replace_highest(
            state
                .rotations
                .iter()
                .map(|(id, active, _)| ([id], as_value(*active))),
        );
        kek.rotation_progress.replace_highest(
            state
                .rotations
                .iter()
                .map(|(id, _, done)| ([id], done.clamp(0.0, 1.0))),
        );
    }

    /// A data key was wrapped, or failed to be.
    pub fn wrapped(&self, provider: &str, outcome: Outcome) {
        let provider = self.0.inner.words.kek_provider(provider);
        self.0.inner.families.kek.wrap.inc((provider, outcome));
    }

    /// A data key was unwrapped, or failed to be.
    pub fn unwrapped(&self, provider: &str, outcome: Outcome) {
        let provider = self.0.inner.words.kek_provider(provider);
        self.0.inner.families.kek.unwrap.inc((provider, outcome));
    }
}
