//! One audit event.

use std::fmt;

use cap_names::{Actor, Severity};
use chrono::{DateTime, Utc};

mod params;

use crate::cut::CUT_MARK;
use crate::timestamp;
use params::Params;

/// The most bytes of an event id, event type or actor. Every record has all three, so they have to
/// fit.
pub(crate) const FIXED_LIMIT: usize = 128;
/// Bytes reserved for the fields that are usually set after `new`, so that the text seldom moves.
const ROOM: usize = 256;
const BOM: char = '\u{feff}';

/// An audit event.
///
/// Every event can be sent, whatever its values are. Event id, type and actor are always sent; of
/// one longer than 128 bytes, the first 120 and a mark. Other fields are cut or left out if the
/// record would be too long. A character that a record cannot hold is escaped or replaced, as the
/// README says.
///
/// An event is one allocation, which the buffer copies.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// The fields one after the other, then the parameters as [`Params`] reads them.
    text: String,
    head: Head,
}

/// The parts of an event that are not text, and where its fields are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    /// Where each field ends.
    ends: [usize; FIELDS],
    /// Which of the optional fields are set.
    has: [bool; OPTIONAL_FIELDS],
    severity: Severity,
    time: DateTime<Utc>,
}

/// An event whose text may be in a buffer.
#[derive(Clone, Copy)]
pub(crate) struct EventRef<'a> {
    text: &'a [u8],
    head: &'a Head,
}

/// The fields of an event, in the order in which they are usually set.
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

const FIELDS: usize = 7;
/// Organization, project and resource, which a record that would be too long leaves out.
pub(crate) const OPTIONAL_FIELDS: usize = 3;

impl Event {
    /// An event of severity info that happened now. Byte order marks at the start of the summary
    /// are removed, because they are not text at the start of a MSG.
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
        let mut ends = [0; FIELDS];
        let fixed: [&[&str]; 3] = [&[id], &[event_type], &[actor.kind().as_str(), ":", actor.id()]];
        for (end, parts) in ends.iter_mut().zip(fixed) {
            push_fixed(&mut text, parts);
            *end = text.len();
        }
        text.push_str(summary);
        ends[Field::Summary as usize..].fill(text.len());
        Self {
            text,
            head: Head {
                ends,
                has: [false; OPTIONAL_FIELDS],
                severity: Severity::Info,
                time: Utc::now(),
            },
        }
    }

    /// Sets the organization.
    #[must_use]
    pub fn org(mut self, id: impl AsRef<str>) -> Self {
        self.set(Field::Org, id.as_ref());
        self
    }

    /// Sets the project.
    #[must_use]
    pub fn project(mut self, id: impl AsRef<str>) -> Self {
        self.set(Field::Project, id.as_ref());
        self
    }

    /// Sets the object of the action, as `kind:id`.
    #[must_use]
    pub fn resource(mut self, resource: impl AsRef<str>) -> Self {
        self.set(Field::Resource, resource.as_ref());
        self
    }

    /// Sets the severity. Default: info.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.head.severity = severity;
        self
    }

    /// Sets the time, with millisecond precision. A time outside the years 0 to 9999, which RFC
    /// 5424 cannot express, becomes the nearest time inside.
    #[must_use]
    pub fn time(mut self, time: DateTime<Utc>) -> Self {
        self.head.time = timestamp::representable(time);
        self
    }

    /// Sets a parameter. A parameter that is set twice keeps its last value.
    ///
    /// In the name, characters other than letters, digits and `_` become `_`, because some relays
    /// take a dot for the start of another element, and CEF allows no dash. A name is cut after 32
    /// characters. The names of the event's fields get the prefix `x_`.
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

    /// Frees what a record of `max` bytes cannot hold. Escaping only makes a text longer, so the
    /// formatter still sees that a text cut here is too long.
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
        let mut fields = 0..FIELDS;
        let ends = [(); FIELDS].map(|()| {
            text.extend(fields.next().map(|index| cut(event.field(index))));
            text.len()
        });
        let mut length = 0;
        let sendable = event.params().take_while(|(name, value)| {
            length += name.len() + value.len();
            length <= max
        });
        // One more, so that the formatter still has something to leave out.
        let sendable = sendable.count() + 1;
        for (name, value) in event.params().take(sendable) {
            params::push(&mut text, &cut(name), &cut(value));
        }
        text.shrink_to_fit();
        let head = Head { ends, ..self.head };
        Self { text, head }
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

    /// The text and the rest, for a buffer that copies the text.
    pub(crate) fn parts(&self) -> (&str, Head) {
        (&self.text, self.head)
    }

    /// Takes the text and leaves an event without use.
    pub(crate) fn take_text(&mut self) -> String {
        self.head.ends = [0; FIELDS];
        std::mem::take(&mut self.text)
    }

    /// Sets an optional field.
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

/// In bytes, because the formatter need not know where characters begin.
impl<'a> EventRef<'a> {
    #[inline]
    pub(crate) fn new(text: &'a [u8], head: &'a Head) -> Self {
        EventRef { text, head }
    }

    /// Id, type, actor and summary.
    #[inline]
    pub(crate) fn required(self) -> [&'a [u8]; FIELDS - OPTIONAL_FIELDS] {
        [Field::Id, Field::Type, Field::Actor, Field::Summary]
            .map(|field| self.field(field as usize))
    }

    /// Organization, project and resource.
    #[inline]
    pub(crate) fn optional(self) -> [Option<&'a [u8]>; OPTIONAL_FIELDS] {
        let [org, project, resource] = self.head.has;
        [
            org.then(|| self.field(Field::Org as usize)),
            project.then(|| self.field(Field::Project as usize)),
            resource.then(|| self.field(Field::Resource as usize)),
        ]
    }

    /// PARAM-NAME and value of each parameter.
    #[inline]
    pub(crate) fn params(self) -> Params<'a> {
        Params::of(&self.text[self.head.ends[FIELDS - 1]..])
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
    fn field(self, index: usize) -> &'a [u8] {
        let ends = &self.head.ends;
        let start = index.checked_sub(1).map_or(0, |before| ends[before]);
        &self.text[start..ends[index]]
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.view();
        let [id, event_type, actor, summary] = event.required().map(String::from_utf8_lossy);
        let [org, project, resource] =
            event.optional().map(|field| field.map(String::from_utf8_lossy));
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
                &params.map(|param| param.map(String::from_utf8_lossy)).collect::<Vec<_>>(),
            )
            .finish()
    }
}

/// Appends a field that is always sent: bounds its length, and writes control characters as in
/// other values.
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
        let event = Event::new("e", "t", Actor::system("s"), "m").param("k", "1").param("k", "2");
        assert_eq!(params(&event), [("k", "2")]);
    }

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).expect("text")
    }

    fn params(event: &Event) -> Vec<(&str, &str)> {
        let params = event.view().params();
        params.map(|(name, value)| (text(name), text(value))).collect()
    }

    #[derive(Clone, Debug)]
    enum Call {
        Org(String),
        Project(String),
        Resource(String),
        Param(String, String),
    }

    fn call() -> impl Strategy<Value = Call> {
        // Around every length at which the encoding changes.
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
        fn each_field_has_the_value_that_was_set_last(
            summary in "\\PC{0,9}",
            calls in proptest::collection::vec(call(), 0..12),
        ) {
            let mut event = Event::new("e", "t", Actor::system("s"), &summary);
            let (mut fields, mut known) = ([const { None }; 3], Vec::<(String, String)>::new());
            for call in calls {
                event = match call {
                    Call::Org(id) => event.org(fields[0].insert(id)),
                    Call::Project(id) => event.project(fields[1].insert(id)),
                    Call::Resource(resource) => event.resource(fields[2].insert(resource)),
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
                prop_assert_eq!(event.view().optional(), fields.each_ref().map(|one: &Option<String>| one.as_deref().map(str::as_bytes)));
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
        assert_eq!(event.view().field(Field::Summary as usize).len(), 502);
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
        assert_eq!(text(event.view().field(Field::Summary as usize)), "m\u{feff}");
    }
}
