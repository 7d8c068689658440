//! The spans of a trace as an indented tree, for the demo and for messages of failed tests.

use crate::ReceivedSpan;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

/// The attributes worth a place in the line, with the short form they get there.
const SHOWN: [(&str, &str); 11] = [
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
];

/// Renders the spans of one trace, children under their parent in the order of their start. Spans
/// whose parent was not received come last, under `(parent not received)`. A span that was received
/// twice is shown once.
///
/// `trace_id` picks the trace; spans of other traces are left out.
pub fn trace_tree(spans: &[ReceivedSpan], trace_id: &str) -> String {
    let by_id: BTreeMap<&str, &ReceivedSpan> = (spans.iter())
        .filter(|span| span.trace_id == trace_id)
        .map(|span| (span.span_id.as_str(), span))
        .collect();
    let mut tree = Tree::default();
    let mut orphans = Vec::new();
    let mut in_order: Vec<_> = by_id.values().copied().collect();
    in_order.sort_by_key(|span| (span.start_nanos, &span.span_id));
    for span in &in_order {
        match span.parent_span_id.as_deref() {
            Some(parent) if by_id.contains_key(parent) => {
                tree.children.entry(parent).or_default().push(span);
            }
            Some(_) => orphans.push(*span),
            None => tree.roots.push(span),
        }
    }
    let mut out = format!("trace {trace_id}\n");
    let roots = std::mem::take(&mut tree.roots);
    tree.render(&roots, "", &mut out);
    if !orphans.is_empty() {
        out.push_str("(parent not received)\n");
        tree.render(&orphans, "", &mut out);
    }
    // A span that is its own ancestor hangs under no root: show it rather than lose it.
    let lost: Vec<_> = (in_order.into_iter())
        .filter(|span| !tree.shown.contains(span.span_id.as_str()))
        .collect();
    if let Some(first) = lost.first() {
        out.push_str("(parents in a circle)\n");
        tree.render(&[first], "", &mut out);
    }
    out
}

#[derive(Default)]
struct Tree<'a> {
    roots: Vec<&'a ReceivedSpan>,
    children: BTreeMap<&'a str, Vec<&'a ReceivedSpan>>,
    shown: BTreeSet<&'a str>,
}

impl<'a> Tree<'a> {
    fn render(&mut self, siblings: &[&'a ReceivedSpan], indent: &str, out: &mut String) {
        for (index, span) in siblings.iter().enumerate() {
            let last = index + 1 == siblings.len();
            let (branch, below) = if last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            let _ = writeln!(out, "{indent}{branch}{}", line(span));
            if self.shown.insert(&span.span_id)
                && let Some(children) = self.children.get(span.span_id.as_str()).cloned()
            {
                self.render(&children, &format!("{indent}{below}"), out);
            }
        }
    }
}

fn line(span: &ReceivedSpan) -> String {
    let mut line = format!("{} {}", span.name, short(span.duration()));
    for (key, name) in SHOWN {
        if let Some(value) = span.attribute(key) {
            let _ = write!(line, " {name}={value}");
        }
    }
    for link in &span.links {
        let same = if link.trace_id == span.trace_id {
            "span"
        } else {
            "trace"
        };
        let id = if same == "span" {
            &link.span_id
        } else {
            &link.trace_id
        };
        let _ = write!(line, " link={same}:{id}");
    }
    match (&span.error, span.attribute("cap.error.class")) {
        (None, None) => {}
        // An error class on a span that did not fail is itself worth seeing.
        (None, Some(class)) => {
            let _ = write!(line, " class={class}");
        }
        (Some(message), class) => {
            let _ = write!(line, " ERROR {}", class.unwrap_or("(no class)"));
            if !message.is_empty() {
                let _ = write!(line, ": {message}");
            }
        }
    }
    line
}

fn short(duration: Duration) -> String {
    match duration.as_nanos() {
        0..1_000 => format!("{}ns", duration.as_nanos()),
        1_000..1_000_000 => format!("{}µs", duration.as_micros()),
        1_000_000..1_000_000_000 => format!("{:.1}ms", duration.as_secs_f64() * 1e3),
        _ => format!("{:.2}s", duration.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReceivedLink;

    fn span(id: &str, parent: Option<&str>, name: &str, start: u64, nanos: u64) -> ReceivedSpan {
        ReceivedSpan {
            trace_id: "t1".to_owned(),
            span_id: id.to_owned(),
            parent_span_id: parent.map(str::to_owned),
            name: name.to_owned(),
            kind: "internal",
            start_nanos: start,
            end_nanos: start + nanos,
            ..ReceivedSpan::default()
        }
    }

    fn with(mut span: ReceivedSpan, attributes: &[(&str, &str)]) -> ReceivedSpan {
        for (key, value) in attributes {
            (span.attributes).insert((*key).to_owned(), (*value).to_owned());
        }
        span
    }

    fn check(spans: &[ReceivedSpan], expected: &str) {
        let tree = trace_tree(spans, "t1");
        assert_eq!(tree.trim_end(), expected.trim(), "\n{tree}");
    }

    #[test]
    fn a_request_that_enqueued_a_failing_job_reads_as_one_story() {
        let mut call = with(
            span("d", Some("c"), "POST new-order", 40, 1_500_000_000),
            &[
                ("cap.external.provider", "acme"),
                ("http.response.status_code", "502"),
                ("cap.error.class", "network"),
                ("unrelated", "x"),
            ],
        );
        call.error = Some("bad gateway".to_owned());
        let mut job = with(
            span("c", Some("a"), "job certificate.renew", 30, 1_600_000_000),
            &[("cap.job.attempt", "2")],
        );
        job.links.push(ReceivedLink {
            trace_id: "t1".to_owned(),
            span_id: "b9".to_owned(),
            attributes: BTreeMap::new(),
        });
        let other = ReceivedSpan {
            trace_id: "t2".to_owned(),
            ..span("z", None, "other", 0, 1)
        };
        let spans = [
            call,
            other,
            job,
            span("b", Some("a"), "db insert", 20, 12_000),
            with(
                span("a", None, "POST /renew", 10, 3_400_000),
                &[("http.response.status_code", "202")],
            ),
        ];
        check(
            &spans,
            "
trace t1
└─ POST /renew 3.4ms status=202
   ├─ db insert 12µs
   └─ job certificate.renew 1.60s attempt=2 link=span:b9
      └─ POST new-order 1.50s provider=acme status=502 ERROR network: bad gateway
",
        );
    }

    #[test]
    fn no_span_is_lost_whatever_the_parents_are() {
        let root = span("a", None, "root", 1, 1);
        let mut failed = span("d", Some("c"), "under the orphan", 4, 1);
        failed.error = Some(String::new());
        check(
            &[
                root.clone(),
                root,
                span("c", Some("gone"), "orphan", 3, 1),
                failed,
                span("x", Some("y"), "x", 5, 1),
                span("y", Some("x"), "y", 6, 1),
            ],
            "
trace t1
└─ root 1ns
(parent not received)
└─ orphan 1ns
   └─ under the orphan 1ns ERROR (no class)
(parents in a circle)
└─ x 1ns
   └─ y 1ns
      └─ x 1ns
",
        );
    }
}
