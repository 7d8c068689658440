//! Waits that have a bound and name what did not come.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// As long as a loaded machine may take for what takes milliseconds.
pub const LONG: Duration = Duration::from_secs(20);

/// How often a condition is looked at that nothing announces.
const POLL: Duration = Duration::from_millis(1);

/// The result of one look at a condition: `bool`, or an `Option` of the value that is awaited.
pub trait Awaited {
    /// What a wait returns.
    type Value;

    /// The value, if the condition holds.
    fn came(self) -> Option<Self::Value>;
}

impl Awaited for bool {
    type Value = ();

    fn came(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Awaited for Option<T> {
    type Value = T;

    fn came(self) -> Option<T> {
        self
    }
}

/// Looks at `condition` every millisecond until it holds.
///
/// # Panics
/// When it does not hold within `limit`. The message names `what`.
#[track_caller]
pub fn until<A: Awaited>(
    what: impl Display,
    limit: Duration,
    mut condition: impl FnMut() -> A,
) -> A::Value {
    let start = Instant::now();
    loop {
        if let Some(value) = condition().came() {
            return value;
        }
        assert!(start.elapsed() < limit, "{what} did not come within {limit:?}");
        std::thread::park_timeout(POLL);
    }
}

/// The same for a condition that is asked asynchronously, on a Tokio runtime with a timer.
///
/// # Panics
/// As [`until`], also if one look exceeds the limit.
pub async fn until_async<A: Awaited>(
    what: impl Display,
    limit: Duration,
    mut condition: impl AsyncFnMut() -> A,
) -> A::Value {
    let looking = async {
        loop {
            if let Some(value) = condition().await.came() {
                return value;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let came = tokio::time::timeout(limit, looking).await;
    came.unwrap_or_else(|_| panic!("{what} did not come within {limit:?}"))
}

/// Waits until what a receiver has seen is as wanted; false after `timeout`.
#[cfg(any(feature = "otlp", feature = "syslog"))]
pub async fn holds<T>(
    state: &tokio::sync::watch::Sender<T>,
    wanted: impl FnMut(&T) -> bool,
    timeout: Duration,
) -> bool {
    let mut changes = state.subscribe();
    let waited = tokio::time::timeout(timeout, changes.wait_for(wanted)).await;
    matches!(waited, Ok(Ok(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_the_value_that_came() {
        let mut looks = 0;
        let third = || {
            looks += 1;
            (looks == 3).then_some(looks)
        };
        assert_eq!(until("the third look", LONG, third), 3);
    }

    #[test]
    #[should_panic(expected = "a miracle did not come within 2ms")]
    fn a_wait_names_what_did_not_come() {
        until("a miracle", Duration::from_millis(2), || false);
    }

    #[tokio::test]
    #[should_panic(expected = "an answer did not come within 2ms")]
    async fn an_asynchronous_wait_is_bounded_while_it_looks() {
        let limit = Duration::from_millis(2);
        until_async("an answer", limit, async || std::future::pending::<bool>().await).await;
    }
}
