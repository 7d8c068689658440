//! The name of this process among its replicas.

use rustix::system::uname;

/// The setting, else `POD_NAME`, else `HOSTNAME`, else the host's name.
///
/// Characters other than `A-Z a-z 0-9 . _ -` become `-`, and the name is cut after 63 characters.
/// A warning says so.
pub(crate) fn name(setting: Option<String>, env: impl Fn(&str) -> Option<String>) -> String {
    let given = setting
        .or_else(|| env("POD_NAME"))
        .or_else(|| env("HOSTNAME"))
        .unwrap_or_else(|| uname().nodename().to_string_lossy().into_owned());
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let mut clean: String =
        given.chars().map(|c| if allowed(c) { c } else { '-' }).take(63).collect();
    if clean.is_empty() {
        clean.push('-');
    }
    if clean != given {
        tracing::warn!(target: "cap_telemetry", given, used = clean, "the instance name was changed: it may have 63 characters of A-Z a-z 0-9 . _ -");
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_wins_then_the_pod_then_the_host() {
        let env = |name: &str| match name {
            "POD_NAME" => Some("cap-api-1".to_owned()),
            "HOSTNAME" => Some("node".to_owned()),
            _ => None,
        };
        assert_eq!(name(Some("mine".to_owned()), env), "mine");
        assert_eq!(name(None, env), "cap-api-1");
        assert!(!name(None, |_| None).is_empty());
    }

    #[test]
    fn other_characters_are_replaced_and_the_length_is_bounded() {
        assert_eq!(name(Some("a b/ü".to_owned()), |_| None), "a-b--");
        assert_eq!(name(Some("x".repeat(99)), |_| None).len(), 63);
    }
}
