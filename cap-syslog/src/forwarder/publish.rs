//! The status as a value to watch, renewed at a bounded rate while somebody does.

use std::time::Duration;

use super::Shared;

const EVERY: Duration = Duration::from_millis(250);

/// Never ends.
pub(super) async fn publish(shared: &Shared) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        if shared.status.receiver_count() == 0 {
            shared.watched.notified().await;
        }
        ticks.tick().await;
        shared.publish();
    }
}
