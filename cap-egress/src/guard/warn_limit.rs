//! Which denials were told of lately. A reconnect loop meets the same one every few seconds, and one line of it is enough.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::{Denial, Host};

const QUIET: Duration = Duration::from_secs(60);
/// Hosts come from whoever may configure one, and must not fill the memory.
const MOST_REMEMBERED: usize = 256;

#[derive(Default)]
pub(super) struct WarnLimit(Mutex<HashMap<(Host, u16, Denial), Instant>>);

impl WarnLimit {
    /// Whether to warn: not when the same was denied and told of within the last minute.
    pub(super) fn is_due(&self, denial: Denial, host: &Host, port: u16) -> bool {
        let now = Instant::now();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| now.duration_since(*at) < QUIET);
        let key = (host.clone(), port, denial);
        if told.contains_key(&key) {
            return false;
        }
        // Too many at once to remember: better a line too many than one that is missing.
        if told.len() < MOST_REMEMBERED {
            told.insert(key, now);
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
