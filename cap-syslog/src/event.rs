//! One audit event, as it will be sent.

use cap_names::{Actor, Severity};
use chrono::{DateTime, Utc};

use crate::timestamp;

/// Bytes of an event id, event type or actor at most: the three are never left out, so they have to fit.
const FIXED_LIMIT: usize = 128;
/// What ends one that was longer.
const CUT_MARK: &str = "...[cut]";
/// PARAM-NAME of RFC 5424, section 6.3.3.
const NAME_LIMIT: usize = 32;

/// An audit event.
///
/// Every event can be sent, whatever is put into it. The event id, type and actor are always sent: of one that is longer than
/// 128 bytes the first 120 are kept, and a mark. The rest may be shortened or left out where a record gets too long. What a
/// record cannot hold is escaped or replaced; the crate's documentation says how.
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
    /// PARAM-NAME and value.
    pub(crate) params: Vec<(String, String)>,
}

impl Event {
    /// Of the event's own fields, those that are left out where a record gets too long: organisation, project and resource.
    pub(crate) const OWN_OPTIONAL: usize = 3;

    /// An event of severity info that happened now. Byte order marks that the summary starts with are taken away: at the
    /// start of a MSG they are not text.
    pub fn new(
        id: impl Into<String>,
        event_type: impl Into<String>,
        actor: Actor,
        summary: impl Into<String>,
    ) -> Self {
        Event {
            id: fixed(id.into()),
            event_type: fixed(event_type.into()),
            actor: fixed(actor.to_string()),
            org: None,
            project: None,
            resource: None,
            severity: Severity::Info,
            time: Utc::now(),
            summary: without_bom(summary.into()),
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

    /// When it happened, to the millisecond. A time outside the years 0 to 9999, which RFC 5424 cannot say, becomes the
    /// nearest one inside.
    #[must_use]
    pub fn time(mut self, time: DateTime<Utc>) -> Self {
        self.time = timestamp::representable(time);
        self
    }

    /// A further parameter. Characters of the name outside `A–Z a–z 0–9 _` become `_` and it is cut after 32 (a dot would
    /// make some relays see another element, and readers of CEF take no dash); a name of the event's own gets the prefix
    /// `x_`. A name given twice keeps its last value.
    #[must_use]
    pub fn param(mut self, name: &str, value: impl Into<String>) -> Self {
        let name = param_name(name);
        match self.params.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value.into(),
            None => self.params.push((name, value.into())),
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
        let sendable = self.params.iter().take_while(|(name, value)| {
            length += name.len() + value.len();
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
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
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

/// Control characters made visible as in other values, and the length bounded.
fn fixed(value: String) -> String {
    let mut fixed = if value.bytes().any(|b| b.is_ascii_control()) {
        escaped(&value)
    } else {
        value
    };
    if fixed.len() > FIXED_LIMIT {
        fixed.truncate(fixed.floor_char_boundary(FIXED_LIMIT - CUT_MARK.len()));
        fixed.push_str(CUT_MARK);
        fixed.shrink_to_fit();
    }
    fixed
}

fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len() + 3);
    for c in value.chars() {
        if c.is_ascii_control() {
            escaped.push_str(&format!("#{:03o}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn without_bom(summary: String) -> String {
    const BOM: char = '\u{feff}';
    if summary.starts_with(BOM) {
        summary.trim_start_matches(BOM).to_owned()
    } else {
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_names_are_reduced_to_the_set_of_the_rfc() {
        let cases = [
            ("trace_id", "trace_id"),
            ("a.b-c d=e\"]é", "a_b_c_d_e___"),
            ("", "_"),
            ("actor", "x_actor"),
            ("event.id", "x_event_id"),
            (
                "a_very_long_name_that_goes_on_and_on",
                "a_very_long_name_that_goes_on_an",
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
        assert_eq!(event.params, [("k".to_owned(), "2".to_owned())]);
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
    fn ids_are_cut_on_a_character_and_show_it() {
        let event = Event::new("é".repeat(1 << 20), "t\n", Actor::system("s"), "m");
        assert_eq!(event.id, format!("{}...[cut]", "é".repeat(60)));
        assert!(event.id.capacity() < 200);
        assert_eq!(event.event_type, "t#012");
    }

    #[test]
    fn a_byte_order_mark_does_not_start_the_text() {
        let event = Event::new("e", "t", Actor::system("s"), "\u{feff}\u{feff}m\u{feff}");
        assert_eq!(event.summary, "m\u{feff}");
    }
}
