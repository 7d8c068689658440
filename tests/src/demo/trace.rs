//! The spans of a trace as an indented tree.

use crate::ReceivedSpan;
use std::fmt::Write as _;

/// The attributes that a line shows, each with its short name.
const SHOWN: [(&str, &str); 12] = [
    ("cap.actor.type", "actor"),
    ("cap.tenant.org_id", "org"),
    ("cap.tenant.project_id", "project"),
    ("cap.cert.id", "cert"),
    ("cap.distribution.id", "distribution"),
    ("cap.job.type", "job"),
    ("cap.job.attempt", "attempt"),
    ("cap.external.provider", "provider"),
    ("cap.external.endpoint", "endpoint"),
    ("cap.event.type", "event"),
    ("http.response.status_code", "status"),
    ("cap.error.class", "class"),
];

/// Renders the spans of one trace, children under their parent in the order of their start. A span
/// whose parent is not among them stands like a root.
pub(super) fn tree(spans: &[ReceivedSpan], trace_id: &str) -> String {
    let mut spans: Vec<_> = (spans.iter()).filter(|span| span.trace_id == trace_id).collect();
    spans.sort_by_key(|span| (span.start_nanos, &span.span_id));
    // A span that was received twice is shown once.
    spans.dedup_by_key(|span| &span.span_id);
    let mut out = format!("trace {trace_id}\n");
    let is_known = |id: &String| spans.iter().any(|span| span.span_id == *id);
    for root in &spans {
        if !root.parent_span_id.as_ref().is_some_and(is_known) {
            render(root, &spans, 1, &mut out);
        }
    }
    out
}

fn render(span: &ReceivedSpan, spans: &[&ReceivedSpan], depth: usize, out: &mut String) {
    let indent = "   ".repeat(depth);
    let _ = write!(out, "{indent}{} {:.1?}", span.name, span.duration());
    for (key, name) in SHOWN {
        if let Some(value) = span.attribute(key) {
            let _ = write!(out, " {name}={value}");
        }
    }
    for link in &span.links {
        let _ = write!(out, " link={}", link.span_id);
    }
    if let Some(error) = &span.error {
        let _ = write!(out, " ERROR {error}");
    }
    out.push('\n');
    for child in spans {
        if child.parent_span_id.as_ref() == Some(&span.span_id) {
            render(child, spans, depth + 1, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_stand_below_their_parent_in_order_of_their_start() {
        let span = |id: &str, parent: Option<&str>, start_nanos| ReceivedSpan {
            trace_id: "t1".to_owned(),
            span_id: id.to_owned(),
            parent_span_id: parent.map(str::to_owned),
            name: format!("span {id}"),
            start_nanos,
            end_nanos: start_nanos + 1_500_000,
            ..ReceivedSpan::default()
        };
        let mut failed = span("c", Some("a"), 3);
        (failed.attributes).insert("cap.job.attempt".to_owned(), "2".to_owned());
        failed.error = Some("answered 503".to_owned());
        let orphan = span("d", Some("unknown"), 4);
        let mut other = span("e", None, 5);
        other.trace_id = "t2".to_owned();
        let root = span("a", None, 1);
        let spans = [orphan, failed, root.clone(), span("b", Some("a"), 2), root, other];
        assert_eq!(
            tree(&spans, "t1"),
            "trace t1
   span a 1.5ms
      span b 1.5ms
      span c 1.5ms attempt=2 ERROR answered 503
   span d 1.5ms
"
        );
    }
}
