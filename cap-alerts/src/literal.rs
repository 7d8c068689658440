//! The first alert as it was first written down, which can never fire: kept as evidence, not for use.

use std::collections::BTreeMap;

use crate::render::{Groups, Rule, document};

/// The name under which the proof loads it, beside the alert that works.
pub(crate) const NAME: &str = "CertRenewalFailingAndExpiringAsWritten";

/// What stands left of its `and`.
pub(crate) const LEFT: &str = r#"cap_certificates_total{status="renewal_failed"} > 0"#;

/// What stands right of its `and`.
pub(crate) const RIGHT: &str = r#"cap_certificates_expiring_in_days{threshold="7"} > 0"#;

/// The expression: `and` compares all labels, and the sides share neither `status` and `issuer_type` nor `threshold`.
pub(crate) fn expr() -> String {
    format!("{LEFT}\nand {RIGHT}")
}

/// A rule file with this one alert, for the proof alone.
pub(crate) fn rules_file() -> String {
    let rule = Rule {
        alert: NAME.to_owned(),
        expr: expr(),
        hold: Some("1h".to_owned()),
        labels: BTreeMap::from([("severity", "critical".to_owned())]),
        annotations: BTreeMap::new(),
    };
    format!(
        "# Proof only, not to be loaded: this form of the alert can never fire, as ../tests/alerts.test.yml shows.\n{}",
        document(&Groups::one("certautopilot-as-written", vec![rule]))
    )
}
