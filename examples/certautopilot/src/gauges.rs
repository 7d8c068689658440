//! The gauges that follow from the inventory and the license, set before every scrape.

use std::collections::BTreeMap;
use std::sync::Weak;

use cap_telemetry::metrics::{CertificateStatus, LicenseState, Metrics};
use cap_telemetry::names::ClosedEnum as _;
use chrono::{DateTime, Utc};

use crate::acme;
use crate::app::App;
use crate::config::License;
use crate::job::JobKind;
use crate::store::Inventory;
use crate::sync::lock;
use crate::tasks::{CHANNEL, ENDPOINT, MODULE};

/// Sets the counters whose labels are known to 0, and has the gauges set before every scrape for
/// as long as the service runs.
pub(crate) fn register(metrics: &Metrics, app: Weak<App>) {
    metrics.jobs().register(JobKind::VALUES.iter().copied());
    metrics.certificates().register([acme::PROVIDER]);
    metrics.external().register(acme::PROVIDER, acme::Endpoint::VALUES.iter().copied());
    metrics.external().register(CHANNEL, [ENDPOINT]);
    metrics.distribution().register([MODULE]);
    metrics.notifications().register([CHANNEL]);
    metrics.before_scrape(move |metrics| {
        if let Some(app) = app.upgrade() {
            let (license, now) = (*lock(&app.license), Utc::now());
            app.store.inventory(|inventory| publish(metrics, inventory, license, now));
        }
    });
}

fn publish(metrics: &Metrics, inventory: &Inventory, license: License, now: DateTime<Utc>) {
    let statuses = CertificateStatus::ALL.iter();
    let mut counts: BTreeMap<(CertificateStatus, &str), u64> =
        statuses.map(|status| ((*status, acme::PROVIDER), 0)).collect();
    let mut days_left = Vec::new();
    for fact in inventory.certificates.values() {
        let state = fact.state.at(fact.not_after, now);
        // A certificate that was never issued is not in the inventory yet.
        let Ok(status) = state.as_str().parse() else { continue };
        *counts.entry((status, &*fact.issuer_type)).or_default() += 1;
        let in_use = matches!(status, CertificateStatus::Active | CertificateStatus::RenewalFailed);
        if let Some(end) = fact.not_after.filter(|_| in_use) {
            days_left.push((end - now).as_seconds_f64() / 86_400.0);
        }
    }
    let counts = counts.into_iter().map(|((status, issuer), count)| (status, issuer, count));
    metrics.certificates().set_inventory(counts);
    metrics.certificates().set_days_left(days_left);

    let waiting = inventory.waiting.iter().map(|(kind, depth)| (kind.as_str(), *depth));
    metrics.jobs().set_queue_depth(waiting);

    let cert_usage = inventory.licensed();
    let mut state = LicenseState::default();
    state.valid = license.allows(cert_usage, now);
    state.expires_in_seconds = license.expires_at.map(|end| (end - now).as_seconds_f64());
    state.cert_usage = cert_usage;
    state.cert_limit = Some(license.cert_limit).filter(|limit| *limit > 0);
    metrics.license().set(&state);
}
