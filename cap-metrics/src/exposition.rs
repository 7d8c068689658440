//! The two text formats: Prometheus 0.0.4 and OpenMetrics 1.0.
//!
//! They differ in headers, exemplars and the end. Series, values and `le` are the same bytes in
//! both.

use std::sync::LazyLock;
use std::time::UNIX_EPOCH;

use crate::catalogue::{Kind, Label, METRICS, Metric};
use crate::exemplar::Exemplar;

/// A format of the exposition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus text 0.0.4.
    #[default]
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The media type, for `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The end of a body.
    pub(crate) fn end(self) -> &'static [u8] {
        match self {
            Self::Text => b"",
            Self::OpenMetrics => b"# EOF\n",
        }
    }
}

/// The header of the metric with this number in the catalogue, without its last line feed.
pub(crate) fn header(metric: usize, format: Format) -> &'static [u8] {
    // The catalogue never changes, so neither do its headers.
    static HEADERS: LazyLock<Vec<[Vec<u8>; 2]>> = LazyLock::new(|| {
        let headers = |metric| [Format::Text, Format::OpenMetrics].map(|f| headed(metric, f));
        METRICS.iter().map(headers).collect()
    });
    let [text, open] = &HEADERS[metric];
    match format {
        Format::Text => text,
        Format::OpenMetrics => open,
    }
}

fn headed(metric: &Metric, format: Format) -> Vec<u8> {
    let name = match format {
        Format::Text => metric.name,
        Format::OpenMetrics => family_name(metric),
    };
    let unit = Some(metric.unit).filter(|unit| !unit.is_empty());
    let mut out = Vec::new();
    let kind = metric.kind.as_str();
    write_header(&mut out, format, name, kind, unit, metric.help);
    out.pop();
    out
}

/// The name of the family in OpenMetrics, where only the samples of a counter end in `_total`.
pub(crate) fn family_name(metric: &Metric) -> &'static str {
    match metric.kind {
        Kind::Counter => metric.name.strip_suffix("_total").unwrap_or(metric.name),
        _ => metric.name,
    }
}

pub(crate) fn write_header(
    out: &mut Vec<u8>,
    format: Format,
    name: &str,
    kind: &str,
    unit: Option<&str>,
    help: &str,
) {
    let help = help.replace('\\', r"\\").replace('\n', r"\n");
    // OpenMetrics escapes quotes in HELP as in label values; 0.0.4 does not.
    let help = match format {
        Format::Text => help,
        Format::OpenMetrics => help.replace('"', r#"\""#),
    };
    let mut line = |parts: [&str; 4]| {
        out.extend_from_slice(parts.join(" ").as_bytes());
        out.push(b'\n');
    };
    line(["#", "HELP", name, &help]);
    line(["#", "TYPE", name, kind]);
    if let (Format::OpenMetrics, Some(unit)) = (format, unit) {
        line(["#", "UNIT", name, unit]);
    }
}

/// `name="value",…`, values escaped, without braces.
pub(crate) fn labels_text<W: AsRef<str>>(labels: &[Label], words: &[W]) -> String {
    let mut out = String::new();
    for (label, word) in labels.iter().zip(words) {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(label.name);
        out.push_str("=\"");
        for c in word.as_ref().chars() {
            match c {
                '\\' => out.push_str(r"\\"),
                '"' => out.push_str(r#"\""#),
                '\n' => out.push_str(r"\n"),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    out
}

/// The names and values in a text that [`labels_text`] wrote.
#[cfg(feature = "prometheus-client")]
pub(crate) fn label_pairs(mut text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let (mut value, mut chars) = (String::new(), rest.chars());
        loop {
            match chars.next() {
                None | Some('"') => break,
                Some('\\') => value.push(match chars.next() {
                    Some('n') => '\n',
                    Some(c) => c,
                    None => break,
                }),
                Some(c) => value.push(c),
            }
        }
        pairs.push((name.to_owned(), value));
        text = chars.as_str().strip_prefix(',').unwrap_or_default();
    }
    pairs
}

/// The value of `le`, with a decimal point. OpenMetrics demands it, and Prometheus 3 rewrites
/// others.
pub(crate) fn bound(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        value => format!("{value:?}"),
    }
}

/// A short text that is appended as whole machine words, which is quicker than a copy of its
/// length.
#[derive(Clone, Debug)]
pub(crate) struct Short {
    /// The text, and padding that is truncated after the copy.
    padded: [u8; Self::SIZE],
    len: usize,
}

impl Short {
    pub(crate) const SIZE: usize = 24;

    /// `None` when the text is longer than [`SIZE`](Self::SIZE).
    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut padded = [0; Self::SIZE];
        padded.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        let len = text.len();
        Some(Self { padded, len })
    }

    #[inline]
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.len;
        out.extend_from_slice(&self.padded);
        out.truncate(end);
    }
}

/// A line without labels, after the line feed that ends the line before.
pub(crate) fn sample(out: &mut Vec<u8>, name: &str, value: f64) {
    out.push(b'\n');
    out.extend_from_slice(name.as_bytes());
    out.push(b' ');
    push_f64(out, value);
}

#[inline]
pub(crate) fn push_u64(out: &mut Vec<u8>, value: u64) {
    match value {
        0..=9 => out.push(b'0' + value as u8),
        _ => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
    }
}

/// `NaN`, `+Inf`, `-Inf`, or a short decimal that reads back as the same `f64`.
pub(crate) fn push_f64(out: &mut Vec<u8>, value: f64) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else if value.fract() == 0.0 && value.abs() < EXACT {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        out.extend_from_slice(dtoa::Buffer::new().format(value).as_bytes());
    }
}

/// ` # {labels} value timestamp`, after the count of a bucket.
pub(crate) fn push_exemplar(out: &mut Vec<u8>, exemplar: &Exemplar) {
    let hex = |out: &mut Vec<u8>, bytes: &[u8]| {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for byte in bytes {
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    };
    out.extend_from_slice(b" # {trace_id=\"");
    hex(out, &exemplar.ids.trace_id);
    out.extend_from_slice(b"\",span_id=\"");
    hex(out, &exemplar.ids.span_id);
    out.extend_from_slice(b"\"} ");
    push_f64(out, exemplar.value);
    let since = exemplar.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = since.as_millis();
    out.extend_from_slice(format!(" {}.{:03}", millis / 1000, millis % 1000).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_formats_demand() {
        let spelled = |value| {
            let mut out = Vec::new();
            push_f64(&mut out, value);
            String::from_utf8(out).expect("ASCII")
        };
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.005, "0.005"),
            (-3.0, "-3"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(spelled(value), expected);
        }
        for value in [1e21, 1e-300, f64::MAX, f64::MIN_POSITIVE, 0.1 + 0.2] {
            assert_eq!(spelled(value).parse(), Ok(value));
        }
    }

    #[test]
    fn whole_numbers_are_written_in_full() {
        for value in [0, 9, 10, 12_345, u64::MAX] {
            let mut out = Vec::new();
            push_u64(&mut out, value);
            assert_eq!(out, value.to_string().into_bytes());
        }
    }

    #[test]
    fn help_is_escaped_as_each_format_demands() {
        let help = "a \"quote\", a \\ and\na line";
        for (format, expected) in [
            (Format::Text, "# HELP x a \"quote\", a \\\\ and\\na line\n# TYPE x gauge\n"),
            (
                Format::OpenMetrics,
                "# HELP x a \\\"quote\\\", a \\\\ and\\na line\n# TYPE x gauge\n# UNIT x s\n",
            ),
        ] {
            let mut out = Vec::new();
            write_header(&mut out, format, "x", "gauge", Some("s"), help);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
