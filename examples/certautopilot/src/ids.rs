//! Identifiers: a kind and 26 characters that sort by the time they were made.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Utc;
use ring::rand::{SecureRandom as _, SystemRandom};

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;

/// The last time stamp given out: 48 bits of milliseconds, 16 bits of sequence within them.
static LAST: AtomicU64 = AtomicU64::new(0);

/// A new identifier, `kind_` and 26 characters. Within a process each one sorts after those before it.
pub(crate) fn new(kind: &str) -> String {
    let now = u64::try_from(Utc::now().timestamp_millis()).unwrap_or(0) << 16;
    let after = |last: u64| Some(now.max(last + 1));
    let last = LAST
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, after)
        .unwrap_or_default();
    let stamp = now.max(last + 1);

    // The stamp alone keeps identifiers apart within the process; the rest keeps two processes apart, so a system without
    // randomness is no reason to fail here.
    let mut noise = [0; 8];
    let _ = SystemRandom::new().fill(&mut noise);

    let value = u128::from(stamp) << 64 | u128::from(u64::from_ne_bytes(noise));
    let digits = (0..LENGTH).rev().map(|i| {
        let digit = (value >> (5 * i)) as usize & 31;
        char::from(ALPHABET[digit])
    });
    format!("{kind}_{}", digits.collect::<String>())
}

#[cfg(test)]
mod tests {
    #[test]
    fn identifiers_sort_in_the_order_they_were_made() {
        let made: Vec<_> = (0..1_000).map(|_| super::new("evt")).collect();
        assert!(made.is_sorted());
        assert!(made.iter().all(|id| id.len() == "evt_".len() + 26));
        assert!(made.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
