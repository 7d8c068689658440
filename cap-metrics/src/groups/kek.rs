//! Key-encryption keys.

use cap_names::ClosedEnum as _;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_rotations_that_are_gone_leave_no_series_and_providers_stand_at_zero() {
        let metrics = Metrics::new();
        let kek = metrics.kek();
        kek.register(["hsm"]);
        kek.set_state(&KekState {
            loaded: vec![
                ("cap-1".to_owned(), 1, true),
                ("cap-2".to_owned(), 1, false),
            ],
            current: vec![("cap-1".to_owned(), 1)],
            laggards: vec![(1, 1)],
            rotations: vec![("r1".to_owned(), true, 1.5)],
        });
        let text = metrics.render();
        for line in [
            r#"cap_kek_process_loaded_versions{host="cap-2",version="1"} 0"#,
            r#"cap_kek_cluster_laggards_total{target="1"} 1"#,
            r#"cap_kek_rotation_active{rotation_id="r1"} 1"#,
            r#"cap_kek_rotation_progress_ratio{rotation_id="r1"} 1"#,
            r#"cap_kek_wrap_total{provider="hsm",result="failed"} 0"#,
            r#"cap_kek_unwrap_total{provider="hsm",result="success"} 0"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        kek.set_state(&KekState {
            current: vec![("cap-1".to_owned(), 2)],
            ..KekState::default()
        });
        let text = metrics.render();
        assert!(
            text.contains("cap_kek_process_current_version{host=\"cap-1\"} 2\n"),
            "{text}"
        );
        assert!(
            !text.contains("cap-2") && !text.contains("\"r1\"") && !text.contains("laggards"),
            "{text}"
        );
    }
}
