//! `POST /inject`: a fault as JSON, such as `{"endpoint":"finalize","identifier":"a.example","status":503,"times":2}`.

use std::time::Duration;

use serde::Deserialize;

use super::{Fault, FaultKind};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Injection {
    endpoint: String,
    identifier: Option<String>,
    times: Option<u32>,
    status: Option<u16>,
    retry_after_seconds: Option<u64>,
    latency_ms: Option<u64>,
    valid_for_seconds: Option<u64>,
}

const ONE_KIND: &str = "write one of status, retry_after_seconds, latency_ms, valid_for_seconds";

impl TryFrom<Injection> for Fault {
    type Error = String;

    fn try_from(injection: Injection) -> Result<Self, String> {
        let rate_limited = |seconds| FaultKind::RateLimited {
            retry_after: Duration::from_secs(seconds),
        };
        let latency = |ms| FaultKind::Latency(Duration::from_millis(ms));
        let valid_for = |seconds| FaultKind::ValidFor(Duration::from_secs(seconds));
        let kinds = [
            injection.status.map(FaultKind::Status),
            injection.retry_after_seconds.map(rate_limited),
            injection.latency_ms.map(latency),
            injection.valid_for_seconds.map(valid_for),
        ];
        let mut kinds = kinds.into_iter().flatten();
        let (Some(kind), None) = (kinds.next(), kinds.next()) else {
            return Err(ONE_KIND.to_owned());
        };
        if matches!(kind, FaultKind::Status(status) if !(400..=599).contains(&status)) {
            return Err("status: write one from 400 to 599".to_owned());
        }
        let endpoint = injection.endpoint.parse();
        Ok(Fault {
            endpoint: endpoint.map_err(|unknown| format!("endpoint: {unknown}"))?,
            identifier: injection.identifier,
            kind,
            times: injection.times,
        })
    }
}
