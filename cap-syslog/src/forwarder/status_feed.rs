//! The status as a value to watch, updated at a bounded rate while somebody watches.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::shared::Shared;

const INTERVAL: Duration = Duration::from_millis(250);

/// Publishes the status forever.
pub(super) async fn publish(shared: &Shared) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if shared.status.receiver_count() == 0 {
            shared.watched.notified().await;
        }
        ticks.tick().await;
        shared.publish();
    }
}
