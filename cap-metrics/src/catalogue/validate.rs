//! The rules that a catalogue must obey to be exposed. They are checked while it is compiled.

use super::kind::SAMPLE_SUFFIXES;

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

/// Whether `name` is declared more than once, or another name is it with a suffix of samples.
pub(super) const fn has_clash(name: &str, names: &[&str]) -> bool {
    let mut found = 0;
    let mut at = 0;
    while at < names.len() {
        if names[at].len() >= name.len() {
            let (start, suffix) = names[at].as_bytes().split_at(name.len());
            found += (same(start, name.as_bytes()) && is_suffix(suffix)) as usize;
        }
        at += 1;
    }
    found != 1
}

const fn is_suffix(suffix: &[u8]) -> bool {
    let mut at = 0;
    while at < SAMPLE_SUFFIXES.len() {
        if same(suffix, SAMPLE_SUFFIXES[at].as_bytes()) {
            return true;
        }
        at += 1;
    }
    suffix.is_empty()
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

    #[test]
    fn a_name_beside_itself_with_a_suffix_is_a_clash() {
        assert!(!has_clash("x", &["x", "y"]));
        assert!(has_clash("x", &["x", "x"]));
        assert!(has_clash("x", &["x", "x_total"]));
        assert!(!has_clash("x", &["x", "xy_total"]));
    }

    #[test]
    fn names_labels_and_buckets_are_checked() {
        assert!(is_name("cap_x2"));
        for bad in ["", "2x", "Cap", "a-b"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(are_labels(&["a", "b"]) && !are_labels(&["a", "a"]) && !are_labels(&["le"]));
        assert!(
            rise(&[]) && rise(&[1.0, 2.0]) && !rise(&[1.0, 1.0]) && !rise(&[1.0, f64::INFINITY])
        );
    }
}
