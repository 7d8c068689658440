//! One audit event, as it will be sent.

use std::fmt;

use cap_names::{Actor, Severity};
use chrono::{DateTime, Utc};

mod params;

use crate::cut::CUT_MARK;
use crate::timestamp;
use params::Params;

/// Bytes of an event id, event type or actor at most: the three are never left out, so they have to fit.
pub(crate) const FIXED_LIMIT: usize = 128;
/// Bytes kept for what an event usually gets after it was made, so that they have room where it is.
const ROOM: usize = 256;
const BOM: char = '\u{feff}';

/// An audit event.
///
/// Every event can be sent, whatever is put into it. The event id, type and actor are always sent: of one that is longer than
/// 128 bytes the first 120 are kept, and a mark. The rest may be shortened or left out where a record gets too long. What a
/// record cannot hold is escaped or replaced; the crate's documentation says how.
///
/// It is one piece of memory, which the buffer copies at once.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// Its own fields one after the other, then what [`Params`] reads.
    text: String,
    head: Head,
}

/// What is known of an event beside its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    /// Where each of its own fields ends.
    ends: [usize; OWN],
    /// Which of those it may lack it has: organisation, project and resource.
    has: [bool; OWN_OPTIONAL],
    severity: Severity,
    time: DateTime<Utc>,
}

/// An event, wherever its text is.
#[derive(Clone, Copy)]
pub(crate) struct EventRef<'a> {
    text: &'a [u8],
    head: &'a Head,
}

/// An event's own fields, in the order in which they usually become known.
#[derive(Clone, Copy)]
enum Field {
    Id,
    Type,
    Actor,
    Summary,
    Org,
    Project,
    Resource,
}

const OWN: usize = 7;
/// Of an event's own fields, those that are left out where a record gets too long: organisation, project and resource.
pub(crate) const OWN_OPTIONAL: usize = 3;

impl Event {
    /// An event of severity info that happened now. Byte order marks that the summary starts with are taken away: at the
    /// start of a MSG they are not text.
    pub fn new(
        id: impl AsRef<str>,
        event_type: impl AsRef<str>,
        actor: Actor,
        summary: impl AsRef<str>,
    ) -> Self {
        let (id, event_type) = (id.as_ref(), event_type.as_ref());
        let summary = summary.as_ref().trim_start_matches(BOM);
        let length = id.len() + event_type.len() + actor.id().len() + summary.len();
        let mut text = String::with_capacity(length + ROOM);
        let mut ends = [0; OWN];
        let fixed: [&[&str]; 3] = [
            &[id],
            &[event_type],
            &[actor.kind().as_str(), ":", actor.id()],
        ];
        for (end, parts) in ends.iter_mut().zip(fixed) {
            push_fixed(&mut text, parts);
            *end = text.len();
        }
        text.push_str(summary);
        ends[Field::Summary as usize..].fill(text.len());
        Event {
            text,
            head: Head {
                ends,
                has: [false; OWN_OPTIONAL],
                severity: Severity::Info,
                time: Utc::now(),
            },
        }
    }

    /// The organisation.
    #[must_use]
    pub fn org(mut self, id: impl AsRef<str>) -> Self {
        self.set(Field::Org, id.as_ref());
        self
    }

    /// The project.
    #[must_use]
    pub fn project(mut self, id: impl AsRef<str>) -> Self {
        self.set(Field::Project, id.as_ref());
        self
    }

    /// What was acted on, as `kind:id`.
    #[must_use]
    pub fn resource(mut self, resource: impl AsRef<str>) -> Self {
        self.set(Field::Resource, resource.as_ref());
        self
    }

    /// The severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.head.severity = severity;
        self
    }

    /// When it happened, to the millisecond. A time outside the years 0 to 9999, which RFC 5424 cannot say, becomes the
    /// nearest one inside.
    #[must_use]
    pub fn time(mut self, time: DateTime<Utc>) -> Self {
        self.head.time = timestamp::representable(time);
        self
    }

    /// A further parameter. Characters of the name outside `A–Z a–z 0–9 _` become `_` and it is cut after 32 (a dot would
    /// make some relays see another element, and readers of CEF take no dash); a name of the event's own gets the prefix
    /// `x_`. A name given twice keeps its last value.
    #[must_use]
    pub fn param(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let (name, value) = (params::name(name), value.as_ref());
        let mut known = self.view().params();
        let mut before = known.left();
        while let Some((other, old)) = known.next() {
            if other == name.as_bytes() {
                if old == value.as_bytes() {
                    return self;
                }
                let old = self.text.len() - before..self.text.len() - known.left();
                let mut entry = String::new();
                params::push(&mut entry, &name, value);
                self.text.replace_range(old, &entry);
                return self;
            }
            before = known.left();
        }
        params::push(&mut self.text, &name, value);
        self
    }

    /// Frees what a record of `max` bytes could never hold. Escaping only makes a text longer, so of one that is cut here the
    /// formatter still sees that it is too long.
    pub(crate) fn bound(&mut self, max: usize) {
        if self.text.capacity() > max {
            *self = self.bounded(max);
        }
    }

    #[cold]
    fn bounded(&self, max: usize) -> Self {
        let event = self.view();
        let cut = |field: &[u8]| {
            let text = String::from_utf8_lossy(field);
            let end = text.ceil_char_boundary(text.len().min(max + 1));
            text[..end].to_owned()
        };
        let mut text = String::new();
        let mut own = 0..OWN;
        let ends = [(); OWN].map(|()| {
            text.extend(own.next().map(|index| cut(event.own(index))));
            text.len()
        });
        let mut length = 0;
        let sendable = event.params().take_while(|(name, value)| {
            length += name.len() + value.len();
            length <= max
        });
        // One more, so that there is still something for the formatter to leave out.
        let sendable = sendable.count() + 1;
        for (name, value) in event.params().take(sendable) {
            params::push(&mut text, &cut(name), &cut(value));
        }
        text.shrink_to_fit();
        let head = Head { ends, ..self.head };
        Event { text, head }
    }

    /// The event id.
    pub fn id(&self) -> &str {
        &self.text[..self.head.ends[Field::Id as usize]]
    }

    /// The event type.
    pub fn event_type(&self) -> &str {
        let ends = self.head.ends;
        &self.text[ends[Field::Id as usize]..ends[Field::Type as usize]]
    }

    #[inline]
    pub(crate) fn view(&self) -> EventRef<'_> {
        EventRef::new(self.text.as_bytes(), &self.head)
    }

    /// For who keeps the text elsewhere.
    pub(crate) fn parts(&self) -> (&str, Head) {
        (&self.text, self.head)
    }

    /// Nothing of use is left then.
    pub(crate) fn take_text(&mut self) -> String {
        self.head.ends = [0; OWN];
        std::mem::take(&mut self.text)
    }

    /// Sets one of those that an event may lack.
    fn set(&mut self, field: Field, value: &str) {
        let (index, ends) = (field as usize, &mut self.head.ends);
        let old = ends[index - 1]..ends[index];
        for end in &mut ends[index..] {
            *end = *end - old.len() + value.len();
        }
        self.text.replace_range(old, value);
        self.head.has[index - Field::Org as usize] = true;
    }
}

/// In bytes: the formatter need not know where characters begin.
impl<'a> EventRef<'a> {
    #[inline]
    pub(crate) fn new(text: &'a [u8], head: &'a Head) -> Self {
        EventRef { text, head }
    }

    /// The fields that every event has: id, type, actor and summary.
    #[inline]
    pub(crate) fn required(self) -> [&'a [u8]; OWN - OWN_OPTIONAL] {
        [Field::Id, Field::Type, Field::Actor, Field::Summary].map(|field| self.own(field as usize))
    }

    /// Organisation, project and resource.
    #[inline]
    pub(crate) fn optional(self) -> [Option<&'a [u8]>; OWN_OPTIONAL] {
        let [org, project, resource] = self.head.has;
        [
            org.then(|| self.own(Field::Org as usize)),
            project.then(|| self.own(Field::Project as usize)),
            resource.then(|| self.own(Field::Resource as usize)),
        ]
    }

    /// PARAM-NAME and value of what is not its own.
    #[inline]
    pub(crate) fn params(self) -> Params<'a> {
        Params::of(&self.text[self.head.ends[OWN - 1]..])
    }

    #[inline]
    pub(crate) fn severity(self) -> Severity {
        self.head.severity
    }

    #[inline]
    pub(crate) fn time(self) -> &'a DateTime<Utc> {
        &self.head.time
    }

    #[inline]
    fn own(self, index: usize) -> &'a [u8] {
        let ends = &self.head.ends;
        let start = index.checked_sub(1).map_or(0, |before| ends[before]);
        &self.text[start..ends[index]]
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.view();
        let [id, event_type, actor, summary] = event.required().map(String::from_utf8_lossy);
        let [org, project, resource] = event
            .optional()
            .map(|field| field.map(String::from_utf8_lossy));
        let params = event.params().map(<[_; 2]>::from);
        f.debug_struct("Event")
            .field("id", &id)
            .field("event_type", &event_type)
            .field("actor", &actor)
            .field("org", &org)
            .field("project", &project)
            .field("resource", &resource)
            .field("severity", &event.severity())
            .field("time", event.time())
            .field("summary", &summary)
            .field(
                "params",
                &params
                    .map(|param| param.map(String::from_utf8_lossy))
                    .collect::<Vec<_>>(),
            )
            .finish()
    }
}

/// Appends a field that is always sent: control characters made visible as in other values, and the length bounded.
fn push_fixed(text: &mut String, parts: &[&str]) {
    let start = text.len();
    text.extend(parts.iter().copied());
    let value = &text[start..];
    if value.len() > FIXED_LIMIT || value.bytes().any(|b| b.is_ascii_control()) {
        let fixed = fixed(value);
        text.truncate(start);
        text.push_str(&fixed);
    }
}

#[cold]
fn fixed(value: &str) -> String {
    let mut fixed = String::new();
    for c in value.chars() {
        if c.is_ascii_control() {
            fixed.push_str(&format!("#{:03o}", u32::from(c)));
        } else {
            fixed.push(c);
        }
        if fixed.len() > FIXED_LIMIT {
            fixed.truncate(fixed.floor_char_boundary(FIXED_LIMIT - CUT_MARK.len()));
            fixed.push_str(CUT_MARK);
            break;
        }
    }
    fixed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_parameter_given_twice_keeps_its_last_value() {
        let event = Event::new("e", "t", Actor::system("s"), "m")
            .param("k", "1")
            .param("k", "2");
        assert_eq!(params(&event), [("k", "2")]);
    }

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).expect("text")
    }

    fn params(event: &Event) -> Vec<(&str, &str)> {
        let params = event.view().params();
        params
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    #[derive(Clone, Debug)]
    enum Call {
        Org(String),
        Project(String),
        Resource(String),
        Param(String, String),
    }

    fn call() -> impl Strategy<Value = Call> {
        // Around every length at which the way it is written changes.
        let text = prop_oneof!["\\PC{0,9}", "[a@é]{60,70}", "x{4090,4100}"];
        prop_oneof![
            text.clone().prop_map(Call::Org),
            text.clone().prop_map(Call::Project),
            text.clone().prop_map(Call::Resource),
            ("[a-c]{1,2}", text).prop_map(|(name, value)| Call::Param(name, value)),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_set_in_whatever_order_is_what_was_set_last(
            summary in "\\PC{0,9}",
            calls in proptest::collection::vec(call(), 0..12),
        ) {
            let mut event = Event::new("e", "t", Actor::system("s"), &summary);
            let (mut own, mut known) = ([const { None }; 3], Vec::<(String, String)>::new());
            for call in calls {
                event = match call {
                    Call::Org(id) => event.org(own[0].insert(id)),
                    Call::Project(id) => event.project(own[1].insert(id)),
                    Call::Resource(resource) => event.resource(own[2].insert(resource)),
                    Call::Param(name, value) => {
                        match known.iter_mut().find(|(known, _)| *known == name) {
                            Some((_, old)) => value.clone_into(old),
                            None => known.push((name.clone(), value.clone())),
                        }
                        event.param(&name, value)
                    }
                };
                let set = known.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                prop_assert!(params(&event).into_iter().eq(set), "{event:?}");
                prop_assert_eq!(event.view().optional(), own.each_ref().map(|one: &Option<String>| one.as_deref().map(str::as_bytes)));
            }
            let summary = summary.trim_start_matches(BOM);
            prop_assert_eq!(event.view().required().map(text), ["e", "t", "system:s", summary]);
            prop_assert_eq!(event.bounded(usize::MAX / 2), event.clone());
        }
    }

    #[test]
    fn an_event_keeps_only_what_could_be_sent() {
        let mut event = Event::new("e", "t", Actor::system("s"), "é".repeat(1000));
        for n in 0..100 {
            event = event.param(&format!("p{n}"), "v".repeat(100));
        }
        event.bound(500);
        assert_eq!(event.view().own(Field::Summary as usize).len(), 502);
        assert!(event.view().params().count() < 10, "{event:?}");
        assert!(event.text.capacity() < 2000);
    }

    #[test]
    fn ids_are_cut_on_a_character_and_show_it() {
        let event = Event::new("é".repeat(1 << 20), "t\n", Actor::system("s"), "m");
        assert_eq!(event.id(), format!("{}...[cut]", "é".repeat(60)));
        assert_eq!(event.event_type(), "t#012");
    }

    #[test]
    fn a_byte_order_mark_does_not_start_the_text() {
        let event = Event::new("e", "t", Actor::system("s"), "\u{feff}\u{feff}m\u{feff}");
        assert_eq!(text(event.view().own(Field::Summary as usize)), "m\u{feff}");
    }
}
