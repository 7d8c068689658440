//! The record that no relay has a reason to refuse.

use cap_names::Actor;
use chrono::Utc;

use crate::event::Event;

/// An event of type `syslog.test`, as it is sent by a Test, and before an event that a relay is suspected to refuse.
pub(crate) fn event() -> Event {
    let now = Utc::now();
    Event::new(
        format!("test-{}", now.timestamp_millis()),
        "syslog.test",
        Actor::system("syslog"),
        "Test message: syslog forwarding works as far as this record came",
    )
    .time(now)
}
