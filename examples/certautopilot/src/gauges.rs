//! The gauges that follow from the inventory and the license, brought up to date before every scrape.

use std::collections::BTreeMap;
use std::sync::Weak;

use cap_telemetry::metrics::{CertificateStatus, LicenseState, Metrics};
use cap_telemetry::names::ClosedEnum as _;
use chrono::{DateTime, Utc};

use crate::acme;
use crate::app::App;
use crate::license::License;
use crate::store::Inventory;
use crate::store::certificates::CertificateState;
use crate::task::JobKind;
use crate::tasks::{distribute, notify};

/// Has the gauges set before every scrape as long as the service runs, and the counters that are known in advance stand at 0.
pub(crate) fn register(metrics: &Metrics, app: Weak<App>) {
    metrics.jobs().register(JobKind::VALUES.iter().copied());
    metrics.certificates().register([acme::PROVIDER]);
    let calls = acme::Endpoint::VALUES.iter().copied();
    metrics.external().register(acme::PROVIDER, calls);
    metrics
        .external()
        .register(notify::CHANNEL, [notify::ENDPOINT]);
    metrics.distribution().register([distribute::MODULE]);
    metrics.notifications().register([notify::CHANNEL]);
    metrics.before_scrape(move |metrics| {
        if let Some(app) = app.upgrade() {
            let publish =
                |inventory: &_| publish(metrics, inventory, app.license.now(), Utc::now());
            app.store.inventory(publish);
        }
    });
}

fn publish(metrics: &Metrics, inventory: &Inventory, license: License, now: DateTime<Utc>) {
    let mut counts: BTreeMap<(CertificateStatus, &str), u64> = CertificateStatus::ALL
        .iter()
        .map(|status| ((*status, acme::PROVIDER), 0))
        .collect();
    let mut days_left = Vec::new();
    for fact in inventory.certificates() {
        let Some(status) = counted(fact.state_at(now)) else {
            continue;
        };
        *counts.entry((status, &fact.issuer_type)).or_default() += 1;
        let in_use = matches!(
            status,
            CertificateStatus::Active | CertificateStatus::RenewalFailed
        );
        if let Some(end) = fact.not_after.filter(|_| in_use) {
            days_left.push((end - now).as_seconds_f64() / 86_400.0);
        }
    }
    let counts = counts.into_iter();
    metrics
        .certificates()
        .set_inventory(counts.map(|((status, issuer), count)| (status, issuer, count)));
    metrics.certificates().set_days_left(days_left);

    let waiting = inventory.waiting();
    metrics
        .jobs()
        .set_queue_depth(waiting.map(|(kind, depth)| (kind.as_str(), depth)));

    let cert_usage = inventory.licensed();
    let mut state = LicenseState::default();
    state.valid = license.allows(cert_usage, now);
    state.expires_in_seconds = license.expires_at.map(|end| (end - now).as_seconds_f64());
    state.cert_usage = cert_usage;
    state.cert_limit = license.cert_limit;
    metrics.license().set(&state);
}

/// A certificate that was never issued is not in the inventory yet.
fn counted(state: CertificateState) -> Option<CertificateStatus> {
    match state {
        CertificateState::Pending => None,
        CertificateState::Active => Some(CertificateStatus::Active),
        CertificateState::Expired => Some(CertificateStatus::Expired),
        CertificateState::Revoked => Some(CertificateStatus::Revoked),
        CertificateState::RenewalFailed => Some(CertificateStatus::RenewalFailed),
    }
}
