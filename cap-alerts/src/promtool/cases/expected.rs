//! What Alertmanager is given when a recommended alert fires: its labels and its words, written out.

use std::collections::BTreeMap;

use super::{CERT, Firing, JOBS, KEK, LICENSE};

pub(super) fn renewal_fails(count: &str) -> Firing {
    firing(
        CERT,
        [("severity", "critical")],
        "Certificate renewals fail while certificates are about to expire",
        &format!(
            "Certificates whose renewal failed: {count}. At least one certificate has less than 7 days left. Read the errors \
             of the failed renewal jobs and renew before it expires."
        ),
    )
}

pub(super) fn not_ready(target: &'static str, hosts: &str) -> Firing {
    firing(
        KEK,
        [("severity", "warning"), ("target", target)],
        &format!("Hosts have not loaded KEK version {target}"),
        &format!(
            "Hosts without KEK version {target}: {hosts}. The cluster cannot rotate to it until they have loaded it: compare \
             the versions of each host."
        ),
    )
}

pub(super) fn given_up(kind: &'static str, jobs: &str) -> Firing {
    firing(
        JOBS,
        [("severity", "warning"), ("type", kind)],
        &format!("Jobs of type {kind} are given up"),
        &format!(
            "Jobs of type {kind} given up in the last 30m: {jobs}. They are not tried again: find the cause in their \
             last errors, then queue them anew."
        ),
    )
}

pub(super) fn expires_soon(left: &str) -> Firing {
    firing(
        LICENSE,
        [("severity", "warning")],
        "The license expires soon",
        &format!("The license expires in {left}. Install a new one."),
    )
}

pub(super) fn expired() -> Firing {
    firing(
        LICENSE,
        [("severity", "warning")],
        "The license has expired",
        "The license has expired. Install a new one.",
    )
}

/// An alert of the production installation.
fn firing<const N: usize>(
    alert: &str,
    labels: [(&'static str, &'static str); N],
    summary: &str,
    description: &str,
) -> Firing {
    let place = [
        ("cluster", "prod"),
        ("namespace", "pki"),
        ("job", "certautopilot"),
    ];
    Firing {
        exp_labels: labels.into_iter().chain(place).collect(),
        exp_annotations: words(
            alert,
            "var-cluster=prod&var-namespace=pki&var-job=certautopilot",
            summary,
            &format!("{description} Reported by cluster=prod namespace=pki job=certautopilot."),
        ),
    }
}

pub(super) fn words(
    alert: &str,
    place: &str,
    summary: &str,
    description: &str,
) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("description", description.to_owned()),
        ("summary", summary.to_owned()),
        ("runbook_url", format!("docs/runbooks/{alert}.md")),
        ("dashboard_url", format!("/d/certautopilot?{place}")),
    ])
}
