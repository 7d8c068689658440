//! The Prometheus text format 0.0.4.

use std::fmt::Write as _;

use crate::catalogue::{Label, Metric};
use crate::storage::Exposed;

/// The media type of [`Metrics::render`](crate::Metrics::render)'s text.
pub const TEXT_0_0_4: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes a family with its header, or nothing when it has no series.
pub(crate) fn family(out: &mut String, family: &dyn Exposed) {
    let start = out.len();
    header(out, family.metric());
    let body = out.len();
    family.write(out);
    if out.len() == body {
        out.truncate(start);
    }
}

fn header(out: &mut String, metric: &Metric) {
    let Metric {
        name, kind, help, ..
    } = metric;
    let help = help.replace('\\', r"\\").replace('\n', r"\n");
    // Writing to a String cannot fail.
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
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

/// One line to be written: everything but its number.
#[derive(Clone, Copy)]
pub(crate) struct Sample<'a> {
    name: &'a str,
    suffix: &'a str,
    labels: &'a str,
    le: Option<&'a str>,
}

impl<'a> Sample<'a> {
    pub(crate) fn of(name: &'a str, labels: &'a str) -> Self {
        Sample {
            name,
            suffix: "",
            labels,
            le: None,
        }
    }

    pub(crate) fn suffix(self, suffix: &'a str) -> Self {
        Sample { suffix, ..self }
    }

    pub(crate) fn le(self, le: &'a str) -> Self {
        Sample {
            le: Some(le),
            ..self
        }
    }

    pub(crate) fn write_u64(self, out: &mut String, value: u64) {
        self.start(out);
        push_u64(out, value);
        out.push('\n');
    }

    pub(crate) fn write_f64(self, out: &mut String, value: f64) {
        self.start(out);
        out.push_str(&number(value));
        out.push('\n');
    }

    /// The line up to its number.
    pub(crate) fn line(self) -> Box<str> {
        let mut line = String::new();
        self.start(&mut line);
        line.into_boxed_str()
    }

    fn start(self, out: &mut String) {
        out.push_str(self.name);
        out.push_str(self.suffix);
        if !self.labels.is_empty() || self.le.is_some() {
            out.push('{');
            out.push_str(self.labels);
            if let Some(le) = self.le {
                if !self.labels.is_empty() {
                    out.push(',');
                }
                out.push_str("le=\"");
                out.push_str(le);
                out.push('"');
            }
            out.push('}');
        }
        out.push(' ');
    }
}

/// A value as the format spells it: `NaN`, `+Inf`, `-Inf`, or the shortest decimal that reads back as the same `f64`.
pub(crate) fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    format!("{value}")
}

pub(crate) fn push_u64(out: &mut String, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(&digits[start..]).expect("decimal digits are ASCII"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_as_the_format_wants() {
        let spelled: Vec<_> = [
            0.0,
            0.005,
            1.0,
            1e21,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ]
        .map(number)
        .to_vec();
        assert_eq!(
            spelled,
            [
                "0",
                "0.005",
                "1",
                "1000000000000000000000",
                "+Inf",
                "-Inf",
                "NaN"
            ]
        );
    }

    #[test]
    fn whole_numbers_are_written_in_full() {
        for value in [0, 9, 10, 12_345, u64::MAX] {
            let mut out = String::new();
            push_u64(&mut out, value);
            assert_eq!(out, value.to_string());
        }
    }
}
