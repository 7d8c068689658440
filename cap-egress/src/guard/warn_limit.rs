//! At most one warning a minute for the same denial.
//!
//! A reconnect loop meets the same denial every few seconds, and one line of it is enough.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::{Denial, Host};

const QUIET: Duration = Duration::from_secs(60);
/// Bounds the memory: any user who may configure a host could cause entries.
const MOST_REMEMBERED: usize = 256;

#[derive(Default)]
pub(super) struct WarnLimit(Mutex<HashMap<(Host, u16, Denial), Instant>>);

impl WarnLimit {
    /// Whether to warn: the same denial was not reported within the last minute.
    pub(super) fn is_due(&self, denial: Denial, host: &Host, port: u16) -> bool {
        let now = Instant::now();
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reported.retain(|_, at| now.duration_since(*at) < QUIET);
        let key = (host.clone(), port, denial);
        if reported.contains_key(&key) {
            return false;
        }
        // When there is no room, a repeated line is better than a missing one.
        if reported.len() < MOST_REMEMBERED {
            reported.insert(key, now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    fn denial(address: &str) -> Denial {
        let checked = Policy::default().check(address.parse().unwrap());
        checked.unwrap_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_denial_warns_once_a_minute_per_host_port_and_rule() {
        let limit = WarnLimit::default();
        let (here, there) = ("a.example".parse().unwrap(), "b.example".parse().unwrap());
        let (metadata, local) = (denial("169.254.169.254"), denial("169.254.1.1"));
        assert!(limit.is_due(metadata, &here, 80));
        assert!(!limit.is_due(metadata, &here, 80));
        assert!(limit.is_due(metadata, &here, 81));
        assert!(limit.is_due(metadata, &there, 80));
        assert!(limit.is_due(local, &here, 80));

        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(!limit.is_due(metadata, &here, 80));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(limit.is_due(metadata, &here, 80));
    }

    #[tokio::test(start_paused = true)]
    async fn many_hosts_neither_fill_memory_nor_silence_warnings() {
        let limit = WarnLimit::default();
        let metadata = denial("169.254.169.254");
        for n in 0..2 * MOST_REMEMBERED {
            let host = format!("host{n}.example").parse().unwrap();
            assert!(limit.is_due(metadata, &host, 80));
        }
        assert_eq!(limit.0.lock().unwrap().len(), MOST_REMEMBERED);
    }
}
