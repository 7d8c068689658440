//! Notifications sent.

use std::sync::Arc;
use std::time::Duration;

use cap_names::ClosedEnum as _;

use crate::catalogue::labels::Outcome;
use crate::registry::Registry;

/// Records notifications sent.
#[derive(Clone, Copy, Debug)]
pub struct Notifications<'a>(pub(crate) &'a Arc<Registry>);

impl Notifications<'_> {
    /// Registers every channel type, once at startup. Their counters are exposed as 0 from then on.
    pub fn register<'n>(&self, channel_types: impl IntoIterator<Item = &'n str>) {
        let notifications = &self.0.families.notifications;
        for name in channel_types {
            let channel = self.0.words.channel_type(name);
            notifications.delivery_duration.init((channel,));
            for outcome in Outcome::ALL {
                notifications.delivery.init((channel, *outcome));
            }
        }
    }

    /// A notification was delivered or given up, after `took`.
    pub fn record_delivered(&self, channel_type: &str, outcome: Outcome, took: Duration) {
        let channel = self.0.words.channel_type(channel_type);
        let notifications = &self.0.families.notifications;
        notifications.delivery.inc((channel, outcome));
        notifications.delivery_duration.observe((channel,), took, self.0.exemplar_ids());
    }
}

#[cfg(test)]
mod tests {
    use crate::Metrics;

    #[test]
    fn registered_channels_are_zero_before_their_first_event() {
        let metrics = Metrics::new();
        metrics.notifications().register(["mail"]);
        metrics.assert_shows([
            r#"cap_notification_delivery_total{channel_type="mail",status="failed"} 0"#,
            r#"cap_notification_delivery_duration_seconds_count{channel_type="mail"} 0"#,
        ]);
    }
}
