//! The variables of the environment: their names, and how a list or a section is written into one.

pub(super) const PREFIX: &str = "CERTAUTOPILOT_";

/// The sections of [`Config`](crate::Config). Other variables with our prefix may be the product's
/// own.
pub(super) const SECTIONS: [&str; 3] = ["telemetry", "syslog", "egress"];

/// The variable that overrides a key.
pub(crate) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "_"))
}

/// Whether a variable's name puts it into one of our sections, so that it must be a key's.
pub(super) fn is_ours(name: &str) -> bool {
    SECTIONS.iter().any(|section| name.starts_with(&format!("{}_", variable(section))))
}

/// Kubernetes sets such variables for every Service of the namespace: one called
/// `certautopilot-syslog` gives `CERTAUTOPILOT_SYSLOG_PORT=tcp://10.0.0.1:601`.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    let is_address = value.starts_with("tcp://") || value.starts_with("udp://");
    name.contains("_SERVICE_") || name.contains("_PORT_") || name.ends_with("_PORT") && is_address
}

/// The elements of `a,b,c`.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// The text is not repeated, since it may be a secret.
#[derive(Debug, thiserror::Error)]
#[error("expected name=value, separated by commas")]
pub(crate) struct PairError;

/// The pairs of `name=value,name=value`.
pub(crate) fn pairs(text: &str) -> Result<Vec<(String, String)>, PairError> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').ok_or(PairError)?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    split(text).map(pair).collect()
}
