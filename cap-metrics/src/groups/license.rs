//! The product's license.

use std::sync::Arc;

use crate::registry::Registry;

/// Records the state of the license.
#[derive(Clone, Copy, Debug)]
pub struct License<'a>(pub(crate) &'a Arc<Registry>);

/// The state of the license.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LicenseState {
    /// Whether the license is valid now.
    pub valid: bool,
    /// Seconds until the license expires, negative afterwards; `None` for a perpetual license.
    pub expires_in_seconds: Option<f64>,
    /// Certificates that count against the license.
    pub cert_usage: u64,
    /// Certificates that the license allows; `None` for any number.
    pub cert_limit: Option<u64>,
}

impl License<'_> {
    /// Replaces the state. No license metric is exposed before the first call, so that an unknown
    /// license does not look expired.
    pub fn set(&self, state: &LicenseState) {
        let license = &self.0.families.license;
        license.valid.set(f64::from(u8::from(state.valid)));
        match state.expires_in_seconds {
            Some(seconds) => license.expires_in.set(seconds),
            None => license.expires_in.clear(),
        }
        license.cert_usage.set(state.cert_usage as f64);
        license.cert_limit.set(state.cert_limit.unwrap_or(0) as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    #[test]
    fn an_unknown_license_is_absent_a_perpetual_one_has_no_expiry() {
        let metrics = Metrics::new();
        assert!(!metrics.render().contains("cap_license"));
        let state =
            LicenseState { valid: true, expires_in_seconds: None, cert_usage: 3, cert_limit: None };
        metrics.license().set(&state);
        let text = metrics.render();
        assert!(text.contains("cap_license_valid 1\n"), "{text}");
        assert!(text.contains("cap_license_cert_limit 0\n"), "{text}");
        assert!(!text.contains("cap_license_expires_in_seconds"), "{text}");
    }
}
