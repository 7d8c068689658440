//! One audit event, as it will be sent.

use cap_names::{Actor, Severity};
use chrono::{DateTime, Utc};

/// Bytes of an event id, event type or actor at most.
const FIXED_LIMIT: usize = 128;
/// PARAM-NAME of RFC 5424, section 6.3.3.
const NAME_LIMIT: usize = 32;

/// An audit event.
///
/// The event id, type and actor are always sent; each is cut after 128 bytes. Anything can be put into the other fields:
/// what RFC 5424 does not allow is escaped or replaced when the record is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) actor: String,
    pub(crate) org: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) severity: Severity,
    pub(crate) time: DateTime<Utc>,
    pub(crate) summary: String,
    /// What leads up to each value on the wire (` name="`), and the value.
    pub(crate) params: Vec<(String, String)>,
}

impl Event {
    /// An event of severity info that happened now.
    pub fn new(
        id: impl Into<String>,
        event_type: impl Into<String>,
        actor: Actor,
        summary: impl Into<String>,
    ) -> Self {
        Event {
            id: cut(id.into()),
            event_type: cut(event_type.into()),
            actor: cut(actor.to_string()),
            org: None,
            project: None,
            resource: None,
            severity: Severity::Info,
            time: Utc::now(),
            summary: summary.into(),
            params: Vec::new(),
        }
    }

    /// The organisation.
    #[must_use]
    pub fn org(mut self, id: impl Into<String>) -> Self {
        self.org = Some(id.into());
        self
    }

    /// The project.
    #[must_use]
    pub fn project(mut self, id: impl Into<String>) -> Self {
        self.project = Some(id.into());
        self
    }

    /// What was acted on, as `kind:id`.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// The severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// When it happened.
    #[must_use]
    pub fn time(mut self, time: DateTime<Utc>) -> Self {
        self.time = time;
        self
    }

    /// A further parameter. Characters of the name outside `A–Z a–z 0–9 _ -` become `_` and it is cut after 32 (a dot would
    /// make some relays see another element); a name of the event's own gets the prefix `x_`. A name given twice
    /// keeps its last value.
    #[must_use]
    pub fn param(mut self, name: &str, value: impl Into<String>) -> Self {
        let lead = format!(" {}=\"", param_name(name));
        match self.params.iter_mut().find(|(known, _)| *known == lead) {
            Some((_, old)) => *old = value.into(),
            None => self.params.push((lead, value.into())),
        }
        self
    }

    /// Frees what a record of `max` bytes could never hold. Escaping only makes a text longer, so of one that is cut here the
    /// formatter still sees that it is too long.
    pub(crate) fn bound(&mut self, max: usize) {
        let own = [&mut self.org, &mut self.project, &mut self.resource];
        let texts = own.into_iter().flatten().chain([&mut self.summary]);
        for text in texts.chain(self.params.iter_mut().map(|(_, value)| value)) {
            if text.len() > max {
                text.truncate(text.ceil_char_boundary(max + 1));
                text.shrink_to_fit();
            }
        }
        let mut length = 0;
        let sendable = self.params.iter().take_while(|(lead, value)| {
            length += lead.len() + value.len();
            length <= max
        });
        // One more, so that there is still something for the formatter to leave out.
        let sendable = sendable.count() + 1;
        self.params.truncate(sendable);
    }

    /// The event id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The event type.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }
}

const OWN_NAMES: [&str; 6] = [
    "event_id",
    "event_type",
    "org_id",
    "project_id",
    "actor",
    "resource",
];

fn param_name(name: &str) -> String {
    let mut clean: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .take(NAME_LIMIT)
        .collect();
    if clean.is_empty() {
        clean.push('_');
    }
    // After the replacement: `event.id` must not become the event's own.
    if OWN_NAMES.contains(&clean.as_str()) {
        clean.insert_str(0, "x_");
    }
    clean
}

/// Control characters made visible and the length bounded, so that the parameters that are never dropped always fit.
fn cut(mut value: String) -> String {
    if value.bytes().any(|b| b.is_ascii_control()) {
        value = value
            .chars()
            .map(|c| if c.is_ascii_control() { '_' } else { c })
            .collect();
    }
    value.truncate(value.floor_char_boundary(FIXED_LIMIT));
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_names_are_reduced_to_the_set_of_the_rfc() {
        let cases = [
            ("trace_id", "trace_id"),
            ("a.b c=d\"]é", "a_b_c_d___"),
            ("", "_"),
            ("actor", "x_actor"),
            ("event.id", "x_event_id"),
            (
                "a-very-long-name-that-goes-on-and-on",
                "a-very-long-name-that-goes-on-an",
            ),
        ];
        for (given, expected) in cases {
            assert_eq!(param_name(given), expected);
        }
    }

    #[test]
    fn a_parameter_given_twice_keeps_its_last_value() {
        let event = Event::new("e", "t", Actor::system("s"), "m")
            .param("k", "1")
            .param("k", "2");
        assert_eq!(event.params, [(" k=\"".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn an_event_keeps_only_what_could_be_sent() {
        let mut event = Event::new("e", "t", Actor::system("s"), "é".repeat(1000));
        for n in 0..100 {
            event = event.param(&format!("p{n}"), "v".repeat(100));
        }
        event.bound(500);
        assert_eq!(event.summary.len(), 502);
        assert!(event.params.len() < 10, "{}", event.params.len());
    }

    #[test]
    fn ids_are_cut_on_a_character() {
        let event = Event::new("é".repeat(100), "t\n", Actor::system("s"), "m");
        assert_eq!(event.id.len(), 128);
        assert_eq!(event.event_type, "t_");
    }
}
