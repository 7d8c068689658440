//! Key-encryption keys.

use std::sync::Arc;

use cap_names::ClosedEnum as _;

use crate::catalogue::labels::Outcome;
use crate::registry::Registry;

/// Records the KEK state of the cluster and the use of the keys.
#[derive(Clone, Copy, Debug)]
pub struct Kek<'a>(pub(crate) &'a Arc<Registry>);

/// The KEK state of the cluster. It is replaced as a whole, so that a host or a rotation that is
/// gone leaves no series.
///
/// ```
/// use cap_metrics::{HostKek, KekLaggards, KekRotation, KekState, KekVersion, Metrics};
///
/// let mut state = KekState::default();
/// state.versions.push(KekVersion::loaded("cap-1", 2));
/// state.versions.push(KekVersion::missing("cap-2", 2));
/// state.current.push(HostKek::new("cap-1", 2));
/// state.laggards.push(KekLaggards::new(2, 1));
/// state.rotations.push(KekRotation::active("r1", 0.5));
/// Metrics::new().kek().set_state(&state);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct KekState {
    /// The versions that each host knows.
    pub versions: Vec<KekVersion>,
    /// The version that each host encrypts with.
    pub current: Vec<HostKek>,
    /// The hosts that a target version waits for.
    pub laggards: Vec<KekLaggards>,
    /// The rotations that are active or have just finished.
    pub rotations: Vec<KekRotation>,
}

/// Whether a host has a KEK version loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KekVersion {
    /// The host.
    pub host: String,
    /// The KEK version.
    pub version: u64,
    /// Whether the host has it loaded.
    pub loaded: bool,
}

impl KekVersion {
    /// A version that the host has loaded.
    pub fn loaded(host: impl Into<String>, version: u64) -> Self {
        Self { host: host.into(), version, loaded: true }
    }

    /// A version that the host does not have loaded.
    pub fn missing(host: impl Into<String>, version: u64) -> Self {
        Self { loaded: false, ..Self::loaded(host, version) }
    }
}

/// The KEK version that a host encrypts with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostKek {
    /// The host.
    pub host: String,
    /// The KEK version.
    pub version: u64,
}

impl HostKek {
    /// The version that the host encrypts with.
    pub fn new(host: impl Into<String>, version: u64) -> Self {
        Self { host: host.into(), version }
    }
}

/// How many hosts do not have the target version loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KekLaggards {
    /// The KEK version that every host must load.
    pub target: u64,
    /// The number of hosts that do not have it loaded.
    pub hosts: u64,
}

impl KekLaggards {
    /// The number of hosts that do not have the target version loaded.
    pub fn new(target: u64, hosts: u64) -> Self {
        Self { target, hosts }
    }
}

/// How far a KEK rotation is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KekRotation {
    /// The id of the rotation.
    pub id: String,
    /// Whether it runs.
    pub active: bool,
    /// The share that is done, 0 to 1. A value outside is clamped.
    pub progress: f64,
}

impl KekRotation {
    /// A rotation that runs.
    pub fn active(id: impl Into<String>, progress: f64) -> Self {
        Self { id: id.into(), active: true, progress }
    }

    /// A rotation that does not run any more.
    pub fn finished(id: impl Into<String>, progress: f64) -> Self {
        Self { active: false, ..Self::active(id, progress) }
    }
}

impl Kek<'_> {
    /// Registers every KEK provider, once at startup. Their counters are exposed as 0 from then on.
    pub fn register<'n>(&self, providers: impl IntoIterator<Item = &'n str>) {
        let kek = &self.0.families.kek;
        for name in providers {
            let provider = self.0.words.kek_provider(name);
            for outcome in Outcome::ALL {
                kek.wrap.init((provider, *outcome));
                kek.unwrap.init((provider, *outcome));
            }
        }
    }

    /// Replaces the state.
    pub fn set_state(&self, state: &KekState) {
        let kek = &self.0.families.kek;
        let as_value = |on: bool| f64::from(u8::from(on));
        kek.loaded_versions.replace(state.versions.iter().map(|known| {
            ([known.host.clone(), known.version.to_string()], as_value(known.loaded))
        }));
        kek.current_version
            .replace_highest(state.current.iter().map(|host| ([&host.host], host.version as f64)));
        kek.laggards
            .replace(state.laggards.iter().map(|lag| ([lag.target.to_string()], lag.hosts as f64)));
        let rotations = &state.rotations;
        kek.rotation_active.replace_highest(
            rotations.iter().map(|rotation| ([&rotation.id], as_value(rotation.active))),
        );
        kek.rotation_progress.replace_highest(
            rotations.iter().map(|rotation| ([&rotation.id], rotation.progress.clamp(0.0, 1.0))),
        );
    }

    /// A data key was wrapped, or failed to be.
    pub fn record_wrapped(&self, provider: &str, outcome: Outcome) {
        let provider = self.0.words.kek_provider(provider);
        self.0.families.kek.wrap.inc((provider, outcome));
    }

    /// A data key was unwrapped, or failed to be.
    pub fn record_unwrapped(&self, provider: &str, outcome: Outcome) {
        let provider = self.0.words.kek_provider(provider);
        self.0.families.kek.unwrap.inc((provider, outcome));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    #[test]
    fn hosts_and_rotations_that_are_gone_leave_no_series() {
        let metrics = Metrics::new();
        let kek = metrics.kek();
        kek.register(["hsm"]);
        kek.set_state(&KekState {
            versions: vec![KekVersion::loaded("cap-1", 1), KekVersion::missing("cap-2", 1)],
            current: vec![HostKek::new("cap-1", 1)],
            laggards: vec![KekLaggards::new(1, 1)],
            rotations: vec![KekRotation::active("r1", 1.5)],
        });
        metrics.assert_shows([
            r#"cap_kek_process_loaded_versions{host="cap-2",version="1"} 0"#,
            r#"cap_kek_cluster_laggards_total{target="1"} 1"#,
            r#"cap_kek_rotation_active{rotation_id="r1"} 1"#,
            r#"cap_kek_rotation_progress_ratio{rotation_id="r1"} 1"#,
            r#"cap_kek_wrap_total{provider="hsm",result="failed"} 0"#,
            r#"cap_kek_unwrap_total{provider="hsm",result="success"} 0"#,
        ]);
        kek.set_state(&KekState { current: vec![HostKek::new("cap-1", 2)], ..KekState::default() });
        let text = metrics.render();
        assert!(text.contains("cap_kek_process_current_version{host=\"cap-1\"} 2\n"), "{text}");
        assert!(
            !text.contains("cap-2") && !text.contains("\"r1\"") && !text.contains("laggards"),
            "{text}"
        );
    }
}
