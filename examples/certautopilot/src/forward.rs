//! From the audit table to the relay: what a committed entry looks like as an event.

use cap_telemetry::syslog::Event;

use crate::store::audit::Entry;

/// The entry as it is forwarded; its id is the row's.
pub(crate) fn event(entry: &Entry, org_id: &str) -> Event {
    let event = Event::new(
        &entry.id,
        entry.event_type.as_str(),
        entry.actor.clone(),
        &entry.summary,
    )
    .org(org_id)
    .severity(entry.severity)
    .time(entry.time);
    let event = match &entry.project {
        Some(project) => event.project(project),
        None => event,
    };
    let event = match &entry.resource {
        Some(resource) => event.resource(resource),
        None => event,
    };
    let params = entry.params.iter();
    params.fold(event, |event, (name, value)| event.param(name, value))
}
