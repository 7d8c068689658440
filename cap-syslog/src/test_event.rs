//! The event that no relay has a reason to refuse.

use cap_names::Actor;
use chrono::Utc;

use crate::event::Event;

/// An event of type `syslog.test`: a probe sends it, and so does the forwarder before a suspect.
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
