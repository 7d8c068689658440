//! Alerts on key-encryption keys.

use super::Definition;

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        Definition::new(
            "KEKClusterNotReady",
            "max by ($GROUP, target) (\n  last_over_time(cap_kek_cluster_laggards_total[$WINDOW])\n) > $THRESHOLD",
        )
        .recommended()
        .threshold("0")
        .past("10m")
        .hold("5m")
        .says(
            "Hosts have not loaded KEK version {{ $labels.target }}",
            "Hosts without KEK version {{ $labels.target }}: {{ $value }}. The cluster cannot rotate to it until they have \
             loaded it: compare the versions of each host.",
        )
        .runbook(
            "Some hosts lack the KEK version that the cluster is to move to.",
            "The rotation waits. Were it forced, those hosts could not decrypt.",
            [
                ("Which hosts have which version", "max by (host, version) (cap_kek_process_loaded_versions)".into()),
                ("What each host encrypts with", "max by (host) (cap_kek_process_current_version)".into()),
            ],
            "Restart the hosts that lack the version, or repair their way to the key provider. A host that no longer exists drops \
             out by itself.",
        ),
        Definition::new(
            "KEKUnwrapFailing",
            r#"sum by ($GROUP, provider) (increase(cap_kek_unwrap_total{result="failed"}[$WINDOW])) > $THRESHOLD"#,
        )
        .threshold("0")
        .event("15m")
        .hold("5m")
        .critical()
        .says(
            "Data keys cannot be unwrapped with {{ $labels.provider }}",
            "Data keys that {{ $labels.provider }} failed to unwrap in the last $WINDOW: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "Stored private keys could not be decrypted: the key's version is not loaded, the provider refuses, or the data was changed.",
            "The certificates concerned cannot be renewed with their key, or distributed.",
            [
                ("Failures by provider", r#"sum by (provider) (increase(cap_kek_unwrap_total{result="failed"}[1h]))"#.into()),
                ("Loaded versions", "max by (host, version) (cap_kek_process_loaded_versions)".into()),
            ],
            "Check the provider's health and credentials, then that every version still in use is loaded. Do not remove old versions meanwhile.",
        ),
        // The version is a value in one metric and a label in the other: count_values makes it a label in both.
        Definition::new(
            "KEKCurrentVersionNotLoaded",
            r#"count_values by ($GROUP, host) ("version",
  max by ($GROUP, host) (last_over_time(cap_kek_process_current_version[$WINDOW]))
)
unless on ($GROUP, host, version)
max by ($GROUP, host, version) (last_over_time(cap_kek_process_loaded_versions[$WINDOW])) == 1"#,
        )
        .past("10m")
        .hold("5m")
        .critical()
        .says(
            "{{ $labels.host }} has not loaded the KEK version it encrypts with",
            "{{ $labels.host }} encrypts with version {{ $labels.version }}, which it has not loaded.",
        )
        .runbook(
            "The version that a host calls current is not among the versions it has loaded.",
            "The host can neither encrypt new keys nor decrypt those of that version.",
            [("Loaded versions", "max by (host, version) (cap_kek_process_loaded_versions)".into())],
            "Restart the host. If it stays so, its key provider does not hand that version out.",
        ),
        Definition::new(
            "KEKVersionSkew",
            r#"max by ($GROUP) (last_over_time(cap_kek_process_current_version[$WINDOW]))
> on ($GROUP)
min by ($GROUP) (last_over_time(cap_kek_process_current_version[$WINDOW]))"#,
        )
        .past("10m")
        .hold("30m")
        .says(
            "Hosts encrypt with different KEK versions",
            "The newest version in use is {{ $value }}, and some host still encrypts with an older one.",
        )
        .runbook(
            "Hosts disagree about the current version for longer than a rotation takes.",
            "Keys keep being wrapped with the old version, so it cannot be retired.",
            [("What each host encrypts with", "max by (host) (cap_kek_process_current_version)".into())],
            "Restart the hosts that lag behind and look in their logs for why they did not follow.",
        ),
        Definition::new(
            "KEKRotationStuck",
            r#"max by ($GROUP, rotation_id) (last_over_time(cap_kek_rotation_active[$WINDOW])) > 0
and on ($GROUP, rotation_id)
max by ($GROUP, rotation_id) (last_over_time(cap_kek_rotation_progress_ratio[$WINDOW]))
- max by ($GROUP, rotation_id) (last_over_time(cap_kek_rotation_progress_ratio[$WINDOW] offset 1h))
<= 0"#,
        )
        .past("10m")
        .hold("15m")
        .says(
            "The KEK rotation {{ $labels.rotation_id }} does not move",
            "The rotation {{ $labels.rotation_id }} is active and made no progress for an hour.",
        )
        .runbook(
            "A rotation is active, and its progress is what it was an hour ago.",
            "Old and new version both stay in use; the old one cannot be retired.",
            [("Progress", "max by (rotation_id) (cap_kek_rotation_progress_ratio)".into())],
            "Look at the rotation's span and log for a key that cannot be re-wrapped. Rotations go on where they stopped after a restart.",
        ),
    ]
}
