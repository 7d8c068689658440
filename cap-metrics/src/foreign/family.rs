//! A family of a team's registry, read back from its text.
//!
//! It is written again in either format. A broken family (an unescaped line break in its help, a
//! name that is there twice) takes nothing else down.

use crate::catalogue::openmetrics_suffixes;
use crate::exposition::{Format, push_f64, write_header};

/// A family that another encoder wrote.
#[derive(Debug)]
pub(crate) struct Family<'a> {
    /// Without the suffix of its samples.
    pub(crate) name: &'a str,
    kind: &'a str,
    help: &'a str,
    unit: Option<&'a str>,
    samples: Vec<Sample<'a>>,
    pub(crate) fault: Option<&'static str>,
}

#[derive(Debug)]
struct Sample<'a> {
    /// Name and labels.
    series: &'a str,
    value: f64,
    exemplar: Option<&'a str>,
}

/// The families of an OpenMetrics text without its EOF, also those that have a fault.
pub(crate) fn families(text: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for line in text.split_terminator('\n') {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(split) {
            let known = families.iter().any(|family| family.name == name);
            families.push(Family {
                name,
                kind: "unknown",
                help,
                unit: None,
                samples: Vec::new(),
                fault: known.then_some("the name is registered twice"),
            });
            continue;
        }
        let Some(family) = families.last_mut() else {
            continue;
        };
        let mine = |rest| split(rest).filter(|(name, _)| *name == family.name);
        if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(mine) {
            family.kind = kind;
        } else if let Some((_, unit)) = line.strip_prefix("# UNIT ").and_then(mine) {
            family.unit = Some(unit);
        } else if let Err(fault) = family.add(line) {
            family.fault = Some(fault);
        }
    }
    for family in &mut families {
        if !is_name(family.name) {
            family.fault = Some("the name is not valid: use letters, digits and _");
        }
    }
    families
}

impl<'a> Family<'a> {
    /// Its name in `format`.
    fn name_in(&self, format: Format) -> String {
        match (format, self.kind) {
            (Format::Text, "counter") => format!("{}_total", self.name),
            (Format::Text, "info") => format!("{}_info", self.name),
            _ => self.name.to_owned(),
        }
    }

    fn kind_in(&self, format: Format) -> &str {
        match (format, self.kind) {
            (Format::Text, "unknown") => "untyped",
            (Format::Text, "info" | "stateset") => "gauge",
            (_, kind) => kind,
        }
    }

    pub(crate) fn write(&self, format: Format, out: &mut Vec<u8>) {
        if self.fault.is_some() || self.samples.is_empty() {
            return;
        }
        let name = self.name_in(format);
        write_header(out, format, &name, self.kind_in(format), self.unit, self.help);
        for sample in &self.samples {
            out.extend_from_slice(sample.series.as_bytes());
            out.push(b' ');
            push_f64(out, sample.value);
            if let (Format::OpenMetrics, Some(exemplar)) = (format, sample.exemplar) {
                out.extend_from_slice(b" # ");
                out.extend_from_slice(exemplar.as_bytes());
            }
            out.push(b'\n');
        }
    }

    fn add(&mut self, line: &'a str) -> Result<(), &'static str> {
        const NOT_A_SAMPLE: &str =
            "its text breaks the format: look for a line break in the help text";
        let own = line.strip_prefix(self.name).ok_or(NOT_A_SAMPLE)?;
        let name_ends = own.find(['{', ' ']).ok_or(NOT_A_SAMPLE)?;
        let suffixes =
            openmetrics_suffixes(self.kind).ok_or("its type exists only in OpenMetrics")?;
        if !suffixes.contains(&&own[..name_ends]) {
            return Err(NOT_A_SAMPLE);
        }
        let labels = match &own[name_ends..] {
            rest if rest.starts_with('{') => {
                labels_len(rest).ok_or("its labels break the format")?
            }
            _ => 0,
        };
        let (series, rest) = line.split_at(self.name.len() + name_ends + labels);
        let rest = rest.strip_prefix(' ').ok_or(NOT_A_SAMPLE)?;
        let (value, exemplar) = match rest.split_once(" # ") {
            Some((value, exemplar)) => (value, Some(exemplar)),
            None => (rest, None),
        };
        let value = value.parse().map_err(|_| NOT_A_SAMPLE)?;
        self.samples.push(Sample { series, value, exemplar });
        Ok(())
    }
}

fn split(rest: &str) -> Option<(&str, &str)> {
    rest.split_once(' ')
}

/// The length of `{name="value",…}`, if the text begins with it and no name is there twice.
fn labels_len(text: &str) -> Option<usize> {
    let mut rest = text.strip_prefix('{')?;
    let mut names = Vec::new();
    while !rest.starts_with('}') {
        let (name, value) = rest.split_once("=\"")?;
        if !is_name(name) || name.contains(':') || names.contains(&name) {
            return None;
        }
        names.push(name);
        let mut escaped = false;
        let end = value.find(|c| match c {
            _ if std::mem::take(&mut escaped) => false,
            '\\' => {
                escaped = true;
                false
            }
            c => c == '"',
        })?;
        rest = &value[end + 1..];
        rest = match rest.strip_prefix(',') {
            Some(next) if !next.starts_with('}') => next,
            None if rest.starts_with('}') => rest,
            _ => return None,
        };
    }
    Some(text.len() - rest.len() + 1)
}

fn is_name(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b':';
    name.bytes().all(good) && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = concat!(
        "# HELP orders Orders.\n# TYPE orders counter\norders_total{a=\"x,\\\"}\"} 3 # {t=\"1\"} 1.0\n",
        "# HELP bad two\nlines.\n# TYPE bad gauge\nbad 1\n",
        "# HELP level Level\n# TYPE level gauge\n# UNIT level bytes\nlevel inf\n",
        "# HELP orders Again.\n# TYPE orders counter\norders_total 3\n",
        "# HELP bytes Labels.\n# TYPE bytes gauge\nbytes{a=\"1\",a=\"2\"} 3\n",
    );

    fn written(format: Format) -> String {
        let mut out = Vec::new();
        families(TEXT).iter().for_each(|family| family.write(format, &mut out));
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn whole_families_are_in_both_formats_and_broken_ones_in_none() {
        assert_eq!(
            written(Format::Text),
            concat!(
                "# HELP orders_total Orders.\n# TYPE orders_total counter\norders_total{a=\"x,\\\"}\"} 3\n",
                "# HELP level Level\n# TYPE level gauge\nlevel +Inf\n",
            )
        );
        assert_eq!(
            written(Format::OpenMetrics),
            concat!(
                "# HELP orders Orders.\n# TYPE orders counter\norders_total{a=\"x,\\\"}\"} 3 # {t=\"1\"} 1.0\n",
                "# HELP level Level\n# TYPE level gauge\n# UNIT level bytes\nlevel +Inf\n",
            )
        );
        let faults: Vec<_> = families(TEXT)
            .iter()
            .filter_map(|family| Some((family.name.to_owned(), family.fault?)))
            .collect();
        assert_eq!(faults.len(), 3, "{faults:?}");
    }
}
