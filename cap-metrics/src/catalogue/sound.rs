//! What must hold for a catalogue to be exposed, asked while it is compiled.

use super::Metric;

/// Whether `name` may name a metric of ours.
pub(super) const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let letter = bytes[at].is_ascii_lowercase();
        if !letter && (at == 0 || !(bytes[at].is_ascii_digit() || bytes[at] == b'_')) {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty()
}

pub(super) const fn ends_with(name: &str, suffix: &str) -> bool {
    let (name, suffix) = (name.as_bytes(), suffix.as_bytes());
    if name.len() < suffix.len() {
        return false;
    }
    same(name.split_at(name.len() - suffix.len()).1, suffix)
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether `name` is declared more than once, or beside itself with a suffix that samples of other kinds have.
pub(super) const fn has_clash(name: &str, metrics: &[Metric]) -> bool {
    const SUFFIXES: [&str; 7] = [
        "", "_total", "_bucket", "_sum", "_count", "_created", "_info",
    ];
    let mut found = 0;
    let mut at = 0;
    while at < metrics.len() {
        let other = metrics[at].name.as_bytes();
        let mut suffix = 0;
        while suffix < SUFFIXES.len() {
            let len = name.len() + SUFFIXES[suffix].len();
            if other.len() == len
                && same(other.split_at(name.len()).0, name.as_bytes())
                && ends_with(metrics[at].name, SUFFIXES[suffix])
            {
                found += 1;
            }
            suffix += 1;
        }
        at += 1;
    }
    found != 1
}

/// Whether these may be the labels of one metric.
pub(super) const fn are_labels(labels: &[&str]) -> bool {
    let mut at = 0;
    while at < labels.len() {
        if !is_name(labels[at]) || same(labels[at].as_bytes(), b"le") {
            return false;
        }
        let mut before = 0;
        while before < at {
            if same(labels[before].as_bytes(), labels[at].as_bytes()) {
                return false;
            }
            before += 1;
        }
        at += 1;
    }
    true
}

pub(super) const fn rise(bounds: &[f64]) -> bool {
    let mut at = 0;
    while at < bounds.len() {
        if !bounds[at].is_finite() || at > 0 && bounds[at - 1] >= bounds[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The unit in which a metric of this name counts.
pub(super) const fn unit(name: &str) -> &'static str {
    if ends_with(name, "_seconds") || ends_with(name, "_seconds_total") {
        "seconds"
    } else if ends_with(name, "_bytes") || ends_with(name, "_bytes_total") {
        "bytes"
    } else if ends_with(name, "_ratio") {
        "ratio"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::METRICS;

    #[test]
    fn a_name_beside_itself_with_a_suffix_is_a_clash() {
        let with = |name| [METRICS[0], Metric { name, ..METRICS[1] }];
        let own = METRICS[0].name;
        assert!(!has_clash(own, &with("cap_other")));
        assert!(has_clash(own, &with(own)));
        assert!(has_clash(
            "x",
            &[
                Metric {
                    name: "x",
                    ..METRICS[0]
                },
                Metric {
                    name: "x_total",
                    ..METRICS[0]
                }
            ]
        ));
        assert!(!has_clash(
            "x",
            &[
                Metric {
                    name: "x",
                    ..METRICS[0]
                },
                Metric {
                    name: "xy_total",
                    ..METRICS[0]
                }
            ]
        ));
    }

    #[test]
    fn names_labels_and_buckets_are_judged() {
        assert!(
            is_name("cap_x2")
                && !is_name("")
                && !is_name("2x")
                && !is_name("Cap")
                && !is_name("a-b")
        );
        assert!(are_labels(&["a", "b"]) && !are_labels(&["a", "a"]) && !are_labels(&["le"]));
        assert!(
            rise(&[]) && rise(&[1.0, 2.0]) && !rise(&[1.0, 1.0]) && !rise(&[1.0, f64::INFINITY])
        );
    }
}
