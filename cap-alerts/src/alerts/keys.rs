//! Alerts on key-encryption keys.

use crate::definition::Definition;

const GROUP: &str = "certautopilot-keys";

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        Definition::extended(
            GROUP,
            "KEKUnwrapFailing",
            r#"sum by ($GROUP, provider) (increase(cap_kek_unwrap_total{result="failed"}[$WINDOW])) > $THRESHOLD"#,
        )
        .threshold("0")
        .event_window("15m")
        .for_duration("5m")
        .critical()
        .says(
            "Data keys cannot be unwrapped with {{ $labels.provider }}",
            "Data keys that {{ $labels.provider }} failed to unwrap in the last $WINDOW: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "Stored private keys could not be decrypted. Either the key's version is not loaded, the provider refuses, or the data \
             was changed.",
            "The certificates concerned cannot be renewed with their key, and cannot be distributed.",
            [
                ("Failures by provider", r#"sum by (provider) (increase(cap_kek_unwrap_total{result="failed"}[1h]))"#),
                ("Loaded versions by host", "max by (host, version) (cap_kek_process_loaded_versions)"),
            ],
            "Check the provider's health and credentials, then check that every version in use is loaded. Do not remove old \
             versions until the alert resolves.",
        ),
        // The version is a value in one metric and a label in the other. count_values makes it a
        // label in both.
        Definition::extended(
            GROUP,
            "KEKCurrentVersionNotLoaded",
            r#"count_values by ($GROUP, host) ("version",
  max by ($GROUP, host) (last_over_time(cap_kek_process_current_version[$WINDOW]))
)
unless on ($GROUP, host, version)
max by ($GROUP, host, version) (last_over_time(cap_kek_process_loaded_versions[$WINDOW])) == 1"#,
        )
        .window("10m")
        .for_duration("5m")
        .critical()
        .says(
            "{{ $labels.host }} has not loaded its current KEK version",
            "The current KEK version of {{ $labels.host }} is {{ $labels.version }}, which it has not loaded.",
        )
        .runbook(
            "The current version of a host is not among its loaded versions.",
            "The host can neither encrypt new keys nor decrypt keys of that version.",
            [("Loaded versions by host", "max by (host, version) (cap_kek_process_loaded_versions)")],
            "Restart the host. If the alert persists, the key provider does not return that version.",
        ),
        Definition::extended(
            GROUP,
            "KEKVersionSkew",
            r#"max by ($GROUP) (last_over_time(cap_kek_process_current_version[$WINDOW]))
> on ($GROUP)
min by ($GROUP) (last_over_time(cap_kek_process_current_version[$WINDOW]))"#,
        )
        .window("10m")
        .for_duration("30m")
        .says(
            "Hosts encrypt with different KEK versions",
            "The newest version in use is {{ $value }}. At least one host still encrypts with an older version.",
        )
        .runbook(
            "Hosts have had different current versions for longer than a rotation takes.",
            "New keys are still wrapped with the old version, so it cannot be retired.",
            [("Current version by host", "max by (host) (cap_kek_process_current_version)")],
            "Restart the hosts with the old version, and find in their logs why they did not follow.",
        ),
        Definition::extended(
            GROUP,
            "KEKRotationStuck",
            r#"max by ($GROUP, rotation_id) (last_over_time(cap_kek_rotation_active[$WINDOW])) > 0
and on ($GROUP, rotation_id)
max by ($GROUP, rotation_id) (last_over_time(cap_kek_rotation_progress_ratio[$WINDOW]))
- max by ($GROUP, rotation_id) (last_over_time(cap_kek_rotation_progress_ratio[$WINDOW] offset 1h))
<= 0"#,
        )
        .window("10m")
        .for_duration("15m")
        .says(
            "The KEK rotation {{ $labels.rotation_id }} makes no progress",
            "The rotation {{ $labels.rotation_id }} is active and made no progress for an hour.",
        )
        .runbook(
            "A rotation is active, and its progress is the same as an hour ago.",
            "Both versions stay in use, and the old version cannot be retired.",
            [("Progress by rotation", "max by (rotation_id) (cap_kek_rotation_progress_ratio)")],
            "Look in the rotation's span and log for a key that cannot be re-wrapped. After a restart, a rotation continues where it \
             stopped.",
        ),
    ]
}
