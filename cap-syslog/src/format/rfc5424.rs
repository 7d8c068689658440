//! The event in one element of structured data, and its summary as the MSG.

use super::escape::{self, Escapes, NONE};
use crate::event::EventRef;

/// The end of the head: the first parameter up to its value.
pub(super) fn head(sd_id: &str) -> String {
    format!("[{sd_id} event_id=\"")
}

pub(super) const TEXT_LEAD: &str = " ";

/// PARAM-VALUE, RFC 5424 section 6.3.3.
struct Value;

impl Escapes for Value {
    const QUOTED: [u8; 3] = *br#""\]"#;
}

/// MSG, where only control characters are escaped.
struct Text;

impl Escapes for Text {
    const QUOTED: [u8; 3] = [NONE; 3];
}

/// Appends the parameters after the head, with only the first `keep` of the optional ones.
#[inline]
pub(super) fn fields(event: EventRef<'_>, keep: usize, out: &mut Vec<u8>) {
    let [id, event_type, actor, _] = event.required();
    let [org, project, resource] = event.optional();
    escape::append::<Value>(id, out);
    param(b"\" event_type=\"", event_type, out);
    if let (Some(org), true) = (org, keep > 0) {
        param(b"\" org_id=\"", org, out);
    }
    if let (Some(project), true) = (project, keep > 1) {
        param(b"\" project_id=\"", project, out);
    }
    param(b"\" actor=\"", actor, out);
    if let (Some(resource), true) = (resource, keep > 2) {
        param(b"\" resource=\"", resource, out);
    }
    for (name, value) in event.params().take(keep.saturating_sub(3)) {
        out.extend_from_slice(b"\" ");
        out.extend_from_slice(name);
        param(b"=\"", value, out);
    }
    out.extend_from_slice(b"\"]");
}

/// Appends the end of the previous value, the name and the value.
#[inline(always)]
fn param<const N: usize>(lead: &[u8; N], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(lead);
    escape::append::<Value>(value, out);
}

#[inline]
pub(super) fn text(summary: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(TEXT_LEAD.as_bytes());
    escape::append::<Text>(summary, out);
}
