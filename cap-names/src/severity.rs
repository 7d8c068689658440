//! How severe an audit event is.

crate::closed_enum! {
    /// The severity of an audit event, as the product grades it.
    pub enum Severity: "severity" {
        /// Syslog 2, crit.
        Critical = "critical",
        /// Syslog 3, err.
        Error = "error",
        /// Syslog 4, warning.
        Warn = "warn",
        /// Syslog 6, informational.
        Info = "info",
        /// Syslog 7, debug.
        Debug = "debug",
    }
}

impl Severity {
    /// The numerical code of RFC 5424, section 6.2.1, table 2.
    pub const fn code(self) -> u8 {
        match self {
            Self::Critical => 2,
            Self::Error => 3,
            Self::Warn => 4,
            Self::Info => 6,
            Self::Debug => 7,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClosedEnum as _;

    #[test]
    fn severities_map_to_the_syslog_codes() {
        let codes: Vec<_> =
            Severity::ALL.iter().map(|severity| (severity.as_str(), severity.code())).collect();
        assert_eq!(codes, [("critical", 2), ("error", 3), ("warn", 4), ("info", 6), ("debug", 7)]);
    }
}
