//! Random bytes, and identifiers that sort by the time they were made.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Utc;
use ring::rand::{RandomlyConstructable, SystemRandom, generate};

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The last time stamp given out: 48 bits of milliseconds, 16 bits of sequence within them.
/// Relaxed: no other memory depends on it.
static LAST: AtomicU64 = AtomicU64::new(0);

/// A new identifier, `kind_` and 26 characters. Within a process each sorts after those before it.
pub(crate) fn new(kind: &str) -> String {
    let now = u64::try_from(Utc::now().timestamp_millis()).unwrap_or(0) << 16;
    let after = |last: u64| Some(now.max(last + 1));
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
    let stamp = now.max(last.unwrap_or_default() + 1);
    // The stamp keeps identifiers of one process apart; the noise, those of two.
    let value = u128::from(stamp) << 64 | u128::from(u64::from_ne_bytes(random()));
    let digit = |i: u32| char::from(ALPHABET[(value >> (5 * i)) as usize & 31]);
    format!("{kind}_{}", (0..26).rev().map(digit).collect::<String>())
}

/// Random bytes.
///
/// # Panics
/// When the system has none to give; no key is safe then.
pub(crate) fn random<T: RandomlyConstructable>() -> T {
    let bytes = generate(&SystemRandom::new());
    bytes.expect("the system gives random bytes").expose()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
