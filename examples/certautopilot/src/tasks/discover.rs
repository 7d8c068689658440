//! Discovery: which certificates lie in a directory, which of them expire, and which nobody
//! manages.

use std::collections::HashSet;
use std::path::Path;
use std::{fs, io};

use cap_telemetry::metrics::{FindingSeverity, JobResult};
use chrono::{DateTime, TimeDelta, Utc};

use crate::acme;
use crate::app::App;
use crate::failure::Failure;
use crate::store::certificates;

/// The label of the `source_id`.
const SOURCE: &str = "directory";

#[derive(Default)]
struct Found {
    certificates: u64,
    unreadable: u64,
    findings: Vec<FindingSeverity>,
}

pub(super) async fn discover(app: &App) -> Result<JobResult, Failure> {
    let Some(directory) = app.config.discovery.clone() else {
        return Ok(JobResult::Success);
    };
    let known = app.store.read("certificates", certificates::fingerprints).await?;
    let known: HashSet<_> = known.into_iter().collect();
    let look = move || {
        look(&directory, &known, Utc::now()).map_err(|error| Failure::at(&directory, &error))
    };
    let found = tokio::task::spawn_blocking(look).await.map_err(Failure::transient)??;
    let metrics = app.telemetry.metrics().discovery();
    metrics.set_sources([(SOURCE, found.certificates)]);
    metrics.set_findings(found.findings.into_iter().map(|severity| (severity, 1)));
    let partial = found.unreadable > 0;
    Ok(if partial { JobResult::Partial } else { JobResult::Success })
}

fn look(directory: &Path, known: &HashSet<String>, now: DateTime<Utc>) -> io::Result<Found> {
    let mut found = Found::default();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "pem") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let Some((end, fingerprint)) = acme::read(&text) else {
            found.unreadable += 1;
            continue;
        };
        found.certificates += 1;
        found.findings.extend(expiry(end - now));
        if !known.contains(&fingerprint) {
            found.findings.push(FindingSeverity::Medium);
        }
    }
    Ok(found)
}

fn expiry(left: TimeDelta) -> Option<FindingSeverity> {
    match left.num_days() {
        _ if left <= TimeDelta::zero() => Some(FindingSeverity::Critical),
        0..7 => Some(FindingSeverity::High),
        7..30 => Some(FindingSeverity::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_the_end_the_worse_the_finding() {
        let severity = |hours| expiry(TimeDelta::hours(hours));
        assert_eq!(severity(-1), Some(FindingSeverity::Critical));
        assert_eq!(severity(1), Some(FindingSeverity::High));
        assert_eq!(severity(8 * 24), Some(FindingSeverity::Low));
        assert_eq!(severity(60 * 24), None);
    }
}
