//! Certificates found on the network.

use std::sync::Arc;

use cap_names::ClosedEnum as _;

use crate::catalogue::labels::FindingSeverity;
use crate::registry::Registry;

/// Records the findings of discovery.
#[derive(Clone, Copy, Debug)]
pub struct Discovery<'a>(pub(crate) &'a Arc<Registry>);

impl Discovery<'_> {
    /// Replaces the sources, each with the number of endpoints that its last run found.
    pub fn set_sources<W: AsRef<str>>(&self, endpoints: impl IntoIterator<Item = (W, u64)>) {
        let rows: Vec<_> = endpoints.into_iter().map(|(source, n)| ([source], n as f64)).collect();
        let discovery = &self.0.families.discovery;
        discovery.sources.set(rows.len() as f64);
        discovery.endpoints.replace(rows);
    }

    /// Replaces the counts of open findings. A severity that is not named counts 0.
    pub fn set_findings(&self, open: impl IntoIterator<Item = (FindingSeverity, u64)>) {
        let mut counts = [0u64; 4];
        for (severity, n) in open {
            counts[severity as usize] += n;
        }
        let rows = FindingSeverity::ALL
            .iter()
            .map(|severity| ([severity.as_str()], counts[*severity as usize] as f64));
        self.0.families.discovery.findings.replace(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    #[test]
    fn sources_that_are_gone_leave_no_series_and_no_findings_are_0() {
        let metrics = Metrics::new();
        let discovery = metrics.discovery();
        discovery.set_sources([("s1", 4), ("s2", 1)]);
        discovery.set_sources([("s2", 2)]);
        discovery.set_findings([(FindingSeverity::High, 3)]);
        discovery.set_findings([(FindingSeverity::Low, 1)]);
        metrics.assert_shows([
            "cap_discovery_sources_total 1\n",
            "cap_discovery_endpoints_total{source_id=\"s2\"} 2\n",
            "cap_discovery_findings_open{severity=\"high\"} 0\n",
            "cap_discovery_findings_open{severity=\"low\"} 1\n",
        ]);
        let text = metrics.render();
        assert!(!text.contains("s1"), "{text}");
    }
}
