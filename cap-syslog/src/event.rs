//! One audit event, as it will be sent.

use std::borrow::Cow;
use std::fmt;

use cap_names::{Actor, Severity};
use chrono::{DateTime, Utc};

use crate::timestamp;

/// Bytes of an event id, event type or actor at most: the three are never left out, so they have to fit.
const FIXED_LIMIT: usize = 128;
/// What ends one that was longer.
const CUT_MARK: &str = "...[cut]";
/// PARAM-NAME of RFC 5424, section 6.3.3.
const NAME_LIMIT: usize = 32;
/// Bytes kept for what an event usually gets after it was made, so that they have room where it is.
const ROOM: usize = 256;
const BOM: char = '\u{feff}';

/// An audit event.
///
/// Every event can be sent, whatever is put into it. The event id, type and actor are always sent: of one that is longer than
/// 128 bytes the first 120 are kept, and a mark. The rest may be shortened or left out where a record gets too long. What a
/// record cannot hold is escaped or replaced; the crate's documentation says how.
///
/// It is one piece of memory: it is made on one thread and let go of on another, which costs by the piece.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// Its own fields one after the other, then what [`Params`] reads.
    text: String,
    /// Where each of its own fields ends.
    ends: [usize; OWN],
    /// Which of those it may lack it has: organisation, project and resource.
    has: [bool; Event::OWN_OPTIONAL],
    pub(crate) severity: Severity,
    pub(crate) time: DateTime<Utc>,
}

/// An event's own fields, in the order in which they usually become known.
#[derive(Clone, Copy)]
enum Own {
    Id,
    Type,
    Actor,
    Summary,
    Org,
    Project,
    Resource,
}

const OWN: usize = 7;

impl Event {
    /// Of the event's own fields, those that are left out where a record gets too long: organisation, project and resource.
    pub(crate) const OWN_OPTIONAL: usize = 3;

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
        ends[Own::Summary as usize..].fill(text.len());
        Event {
            text,
            ends,
            has: [false; Event::OWN_OPTIONAL],
            severity: Severity::Info,
            time: Utc::now(),
        }
    }

    /// The organisation.
    #[must_use]
    pub fn org(mut self, id: impl AsRef<str>) -> Self {
        self.set(Own::Org, id.as_ref());
        self
    }

    /// The project.
    #[must_use]
    pub fn project(mut self, id: impl AsRef<str>) -> Self {
        self.set(Own::Project, id.as_ref());
        self
    }

    /// What was acted on, as `kind:id`.
    #[must_use]
    pub fn resource(mut self, resource: impl AsRef<str>) -> Self {
        self.set(Own::Resource, resource.as_ref());
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
    pub fn param(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let (name, value) = (param_name(name), value.as_ref());
        let mut known = self.params();
        let mut before = known.rest.len();
        while let Some((other, _)) = known.next() {
            if other == name.as_bytes() {
                let old = self.text.len() - before..self.text.len() - known.rest.len();
                let mut entry = String::new();
                push_param(&mut entry, &name, value);
                self.text.replace_range(old, &entry);
                return self;
            }
            before = known.rest.len();
        }
        push_param(&mut self.text, &name, value);
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
        let cut = |field: &[u8]| {
            let text = String::from_utf8_lossy(field);
            let end = text.ceil_char_boundary(text.len().min(max + 1));
            text[..end].to_owned()
        };
        let mut text = String::new();
        let mut own = 0..OWN;
        let ends = [(); OWN].map(|()| {
            text.extend(own.next().map(|index| cut(self.own(index))));
            text.len()
        });
        let mut length = 0;
        let sendable = self.params().take_while(|(name, value)| {
            length += name.len() + value.len();
            length <= max
        });
        // One more, so that there is still something for the formatter to leave out.
        let sendable = sendable.count() + 1;
        for (name, value) in self.params().take(sendable) {
            push_param(&mut text, &cut(name), &cut(value));
        }
        text.shrink_to_fit();
        Event {
            text,
            ends,
            ..*self
        }
    }

    /// The event id.
    pub fn id(&self) -> &str {
        &self.text[..self.ends[Own::Id as usize]]
    }

    /// The event type.
    pub fn event_type(&self) -> &str {
        &self.text[self.ends[Own::Id as usize]..self.ends[Own::Type as usize]]
    }

    /// The fields that every event has: id, type, actor and summary. In bytes, as are the others: the formatter need not know
    /// where characters begin.
    #[inline]
    pub(crate) fn always(&self) -> [&[u8]; OWN - Self::OWN_OPTIONAL] {
        [Own::Id, Own::Type, Own::Actor, Own::Summary].map(|field| self.own(field as usize))
    }

    /// Organisation, project and resource.
    #[inline]
    pub(crate) fn optional(&self) -> [Option<&[u8]>; Self::OWN_OPTIONAL] {
        let [org, project, resource] = self.has;
        [
            org.then(|| self.own(Own::Org as usize)),
            project.then(|| self.own(Own::Project as usize)),
            resource.then(|| self.own(Own::Resource as usize)),
        ]
    }

    /// PARAM-NAME and value of what is not its own.
    #[inline]
    pub(crate) fn params(&self) -> Params<'_> {
        Params {
            rest: &self.text.as_bytes()[self.ends[OWN - 1]..],
        }
    }

    /// Its id, in the memory that was the event's; nothing else is left of the event.
    pub(crate) fn take_id(&mut self) -> String {
        let mut id = std::mem::take(&mut self.text);
        id.truncate(self.ends[Own::Id as usize]);
        self.ends = [0; OWN];
        id
    }

    /// Goes over into memory that another event has left, if it fits in there; gives back what is not needed any more.
    pub(crate) fn move_into(&mut self, mut left: String) -> String {
        if left.capacity() < self.text.len() {
            return left;
        }
        left.clear();
        left.push_str(&self.text);
        std::mem::replace(&mut self.text, left)
    }

    /// How much memory it has, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.text.capacity()
    }

    /// That memory.
    pub(crate) fn into_memory(self) -> String {
        self.text
    }

    #[inline]
    fn own(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text.as_bytes()[start..self.ends[index]]
    }

    /// Sets one of those that an event may lack.
    fn set(&mut self, field: Own, value: &str) {
        let index = field as usize;
        let old = self.ends[index - 1]..self.ends[index];
        for end in &mut self.ends[index..] {
            *end = *end - old.len() + value.len();
        }
        self.text.replace_range(old, value);
        self.has[index - Own::Org as usize] = true;
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [id, event_type, actor, summary] = self.always().map(String::from_utf8_lossy);
        let [org, project, resource] = self
            .optional()
            .map(|field| field.map(String::from_utf8_lossy));
        let params = self.params().map(<[_; 2]>::from);
        f.debug_struct("Event")
            .field("id", &id)
            .field("event_type", &event_type)
            .field("actor", &actor)
            .field("org", &org)
            .field("project", &project)
            .field("resource", &resource)
            .field("severity", &self.severity)
            .field("time", &self.time)
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

/// The further parameters of an event: of each the lengths of name and value, then name and value.
#[derive(Clone)]
pub(crate) struct Params<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Params<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (name, value) = (self.length(), self.length());
        Some((self.take(name), self.take(value)))
    }
}

impl<'a> Params<'a> {
    #[inline]
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    #[inline]
    fn length(&mut self) -> usize {
        let (mut length, mut shift) = (0, 0);
        while let Some((byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            length |= usize::from(byte & LOW) << shift;
            if byte & MORE == 0 {
                break;
            }
            shift += BITS;
        }
        length
    }
}

/// A length is written in characters of ASCII, so that text stays text: six bits in each, the lowest first, and whether there
/// are more.
const BITS: u32 = 6;
const LOW: u8 = (1 << BITS) - 1;
const MORE: u8 = 1 << BITS;

fn push_length(text: &mut String, mut length: usize) {
    while length >> BITS != 0 {
        text.push(char::from(MORE | length as u8 & LOW));
        length >>= BITS;
    }
    text.push(char::from(length as u8));
}

fn push_param(text: &mut String, name: &str, value: &str) {
    push_length(text, name.len());
    push_length(text, value.len());
    text.push_str(name);
    text.push_str(value);
}

const OWN_NAMES: [&str; 6] = [
    "event_id",
    "event_type",
    "org_id",
    "project_id",
    "actor",
    "resource",
];

fn param_name(name: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let fits = (1..=NAME_LIMIT).contains(&name.len()) && name.bytes().all(plain);
    let mut clean = if fits {
        Cow::Borrowed(name)
    } else {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let clean: String = name.chars().map(plain).take(NAME_LIMIT).collect();
        match clean.as_str() {
            "" => Cow::Borrowed("_"),
            _ => Cow::Owned(clean),
        }
    };
    // After the replacement: `event.id` must not become the event's own.
    if OWN_NAMES.contains(&&*clean) {
        clean.to_mut().insert_str(0, "x_");
    }
    clean
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
        assert_eq!(params(&event), [("k", "2")]);
    }

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).expect("text")
    }

    fn params(event: &Event) -> Vec<(&str, &str)> {
        let params = event.params();
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
                prop_assert_eq!(event.optional(), own.each_ref().map(|one: &Option<String>| one.as_deref().map(str::as_bytes)));
            }
            let summary = summary.trim_start_matches(BOM);
            prop_assert_eq!(event.always().map(text), ["e", "t", "system:s", summary]);
            prop_assert_eq!(event.bounded(usize::MAX / 2), event.clone());
            prop_assert_eq!(event.take_id(), "e");
        }
    }

    #[test]
    fn an_event_keeps_only_what_could_be_sent() {
        let mut event = Event::new("e", "t", Actor::system("s"), "é".repeat(1000));
        for n in 0..100 {
            event = event.param(&format!("p{n}"), "v".repeat(100));
        }
        event.bound(500);
        assert_eq!(event.own(Own::Summary as usize).len(), 502);
        assert!(event.params().count() < 10, "{event:?}");
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
        assert_eq!(text(event.own(Own::Summary as usize)), "m\u{feff}");
    }
}
