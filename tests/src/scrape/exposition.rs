//! A strict reader of the Prometheus text format 0.0.4. It shares nothing with the encoder under
//! test.
//!
//! It is stricter than Prometheus: a family has HELP and TYPE before its samples and stands in one
//! piece, no series repeats, and histograms add up.

mod histogram;
mod line;
mod sample;

use line::Line;
pub use sample::Sample;
use std::collections::{BTreeMap, BTreeSet};

/// The content type of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The content type of OpenMetrics 1.0.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A metric family.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// `counter`, `gauge`, `histogram`, `summary` or `untyped`.
    pub kind: String,
    /// The help text, unescaped.
    pub help: String,
    /// Samples, in the order written.
    pub samples: Vec<Sample>,
}

/// A broken rule of the format, and the line, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}: {text:.200}")]
pub struct Invalid {
    /// Number of the line.
    pub line: usize,
    /// The rule it breaks.
    pub what: String,
    /// The line.
    pub text: String,
}

/// Whether that is the content type of the format.
pub fn is(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    parts.next() == Some("text/plain") && parts.any(|part| part == "version=0.0.4")
}

/// Whether that is the content type of OpenMetrics.
pub fn is_open_metrics(content_type: &str) -> bool {
    content_type == OPEN_METRICS
}

/// Reads an exposition into families by name.
///
/// # Errors
/// At the first line that breaks the format.
pub fn parse(text: &str) -> Result<BTreeMap<String, Family>, Invalid> {
    let mut reader = Reader::default();
    let mut number = 0;
    for line in text.split_inclusive('\n') {
        number += 1;
        let invalid = |what: String| Invalid {
            line: number,
            what,
            text: line.trim_end_matches('\n').to_owned(),
        };
        let Some(line) = line.strip_suffix('\n') else {
            return Err(invalid("the last line has no line feed".to_owned()));
        };
        line::parse(line).and_then(|line| reader.take(line)).map_err(invalid)?;
    }
    reader.close().map_err(|what| Invalid { line: number, what, text: "(end)".to_owned() })?;
    Ok(reader.families)
}

#[derive(Debug, Default)]
struct Reader {
    families: BTreeMap<String, Family>,
    /// Name and help of a family whose TYPE comes next.
    announced: Option<(String, String)>,
    /// The family whose samples come next.
    open: Option<String>,
    series: BTreeSet<(String, BTreeMap<String, String>)>,
}

impl Reader {
    fn take(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Nothing => Ok(()),
            Line::Help { name, help } => {
                self.close()?;
                if self.families.contains_key(&name) {
                    return Err(format!("the family {name} is there twice"));
                }
                self.announced = Some((name, help));
                Ok(())
            }
            Line::Type { name, kind } => match self.announced.take() {
                Some((announced, help)) if announced == name => {
                    let samples = Vec::new();
                    (self.families).insert(name.clone(), Family { kind, help, samples });
                    self.open = Some(name);
                    Ok(())
                }
                _ => Err(format!("the TYPE of {name} does not follow its HELP")),
            },
            Line::Sample(sample) => self.sample(sample),
        }
    }

    fn sample(&mut self, sample: Sample) -> Result<(), String> {
        let outside = "a sample outside its family";
        let name = self.open.as_ref().ok_or(outside)?;
        let family = self.families.get_mut(name).ok_or(outside)?;
        let suffix = sample.name.strip_prefix(name.as_str()).ok_or(outside)?;
        let (belongs, own_label) = match (family.kind.as_str(), suffix) {
            ("histogram", "_bucket") => (true, Some("le")),
            ("summary", "") => (true, Some("quantile")),
            ("histogram" | "summary", "_sum" | "_count") => (true, None),
            ("histogram" | "summary", _) => (false, None),
            (_, suffix) => (suffix.is_empty(), None),
        };
        if !belongs {
            return Err(outside.to_owned());
        }
        if let Some(label) = own_label
            && !sample.labels.contains_key(label)
        {
            return Err(format!("a {} sample without {label}", family.kind));
        }
        if family.kind == "counter" && (sample.value.is_nan() || sample.value < 0.0) {
            return Err("a counter that is no count".to_owned());
        }
        if !(self.series).insert((sample.name.clone(), sample.labels.clone())) {
            return Err("the series is there twice".to_owned());
        }
        family.samples.push(sample);
        Ok(())
    }

    /// Ends the family that is open.
    fn close(&mut self) -> Result<(), String> {
        if let Some((name, _)) = &self.announced {
            return Err(format!("the HELP of {name} has no TYPE behind it"));
        }
        match self.open.take() {
            Some(name) if self.families[&name].kind == "histogram" => {
                histogram::check(&name, &self.families[&name].samples)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# HELP a_total A.\n# TYPE a_total counter\n";
    const HISTOGRAM: &str = "# HELP h H.\n# TYPE h histogram\n";

    #[test]
    fn help_labels_and_values_are_unescaped() {
        let text = concat!(
            "# HELP a_total Two\\nlines, a \\\\ and a \"quote\".\n",
            "# TYPE a_total counter\n",
            "a_total{x=\"q\\\"b\\\\n\\n}{,=\",y=\"é\"} 1.5e3\n",
            "a_total{x=\"\",y=\"\",} 2 1700000000000\n",
            "\n",
            "# a comment\n",
            "# HELP g \n",
            "# TYPE g gauge\n",
            "g +Inf\n",
        );
        let families = parse(text).expect("valid");
        let counter = &families["a_total"];
        assert_eq!(counter.help, "Two\nlines, a \\ and a \"quote\".");
        assert_eq!(counter.samples[0].labels["x"], "q\"b\\n\n}{,=");
        assert_eq!(counter.samples[0].value, 1500.0);
        assert_eq!(counter.samples.len(), 2);
        assert_eq!(families["g"].samples[0].value, f64::INFINITY);
        assert_eq!((families["g"].kind.as_str(), families["g"].help.as_str()), ("gauge", ""));
    }

    #[test]
    fn a_family_stands_in_one_piece_under_its_help_and_type() {
        for (text, line, what) in [
            ("a_total 1\n".to_owned(), 1, "a sample outside its family"),
            (format!("{HEAD}b_total 1\n"), 3, "a sample outside its family"),
            (format!("{HEAD}a_total_sum 1\n"), 3, "a sample outside its family"),
            (format!("{HEAD}{HEAD}"), 3, "the family a_total is there twice"),
            ("# TYPE a counter\n".to_owned(), 1, "the TYPE of a does not follow its HELP"),
            (
                "# HELP a A.\n# TYPE b counter\n".to_owned(),
                2,
                "the TYPE of b does not follow its HELP",
            ),
            ("# HELP a A.\n".to_owned(), 1, "the HELP of a has no TYPE behind it"),
            (format!("{HEAD}a_total 1\na_total 2\n"), 4, "the series is there twice"),
            (
                format!("{HEAD}a_total{{x=\"1\",y=\"2\"}} 1\na_total{{y=\"2\",x=\"1\"}} 1\n"),
                4,
                "the series is there twice",
            ),
            (format!("{HEAD}a_total -1\n"), 3, "a counter that is no count"),
            (format!("{HEAD}a_total 1"), 3, "the last line has no line feed"),
            (format!("{HISTOGRAM}h 1\n"), 3, "a sample outside its family"),
            (format!("{HISTOGRAM}h_bucket 1\n"), 3, "a histogram sample without le"),
        ] {
            let error = parse(&text).expect_err(&text);
            assert_eq!((error.line, error.what.as_str()), (line, what), "{text}");
        }
    }
}
