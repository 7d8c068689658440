//! One line of the text format: a comment, HELP, TYPE, or a sample.

use super::sample::Sample;
use std::collections::BTreeMap;

pub(super) enum Line {
    Nothing,
    Help { name: String, help: String },
    Type { name: String, kind: String },
    Sample(Sample),
}

pub(super) fn parse(line: &str) -> Result<Line, String> {
    if let Some(rest) = line.strip_prefix("# HELP ") {
        let (name, help) = rest.split_once(' ').unwrap_or((rest, ""));
        return Ok(Line::Help { name: metric_name(name)?, help: unescape(help, false)? });
    }
    if let Some(rest) = line.strip_prefix("# TYPE ") {
        let (name, kind) = rest.split_once(' ').ok_or("TYPE without a type")?;
        if !["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind) {
            return Err(format!("the type {kind:?}"));
        }
        return Ok(Line::Type { name: metric_name(name)?, kind: kind.to_owned() });
    }
    if line.is_empty() || line.starts_with('#') {
        return Ok(Line::Nothing);
    }
    sample(line).map(Line::Sample)
}

fn sample(line: &str) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("a sample without a value")?;
    let name = metric_name(&line[..end])?;
    let (labels, rest) = match line[end..].strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), &line[end..]),
    };
    let rest = rest.strip_prefix(' ').ok_or("no space before the value")?;
    let (value, timestamp) = match rest.split_once(' ') {
        Some((value, timestamp)) => (value, Some(timestamp)),
        None => (rest, None),
    };
    if let Some(timestamp) = timestamp
        && timestamp.parse::<i64>().is_err()
    {
        return Err(format!("the timestamp {timestamp:?}"));
    }
    Ok(Sample { name, labels, value: number(value)? })
}

fn labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let mut labels = BTreeMap::new();
    while !rest.starts_with('}') {
        let (name, behind) = rest.split_once("=\"").ok_or("a label is name=\"value\"")?;
        let len = quoted_len(behind).ok_or("a label value that does not end")?;
        let value = unescape(&behind[..len], true)?;
        if !is_name(name, false) {
            return Err(format!("the label name {name:?}"));
        }
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("the label {name} is there twice"));
        }
        rest = &behind[len + 1..];
        rest = match rest.strip_prefix(',') {
            Some(rest) => rest,
            None if rest.starts_with('}') => rest,
            None => return Err("no comma between labels".to_owned()),
        };
    }
    Ok((labels, &rest[1..]))
}

/// Length of what stands before the closing quote.
fn quoted_len(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    })
}

fn unescape(text: &str, quoted: bool) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('\\') => '\\',
                Some('"') if quoted => '"',
                other => return Err(format!("the escape \\{}", other.unwrap_or(' '))),
            },
            char => char,
        });
    }
    Ok(plain)
}

/// A number as Prometheus writes it. Rust's parser would also accept `inf`, `infinity` and `nan`.
fn number(text: &str) -> Result<f64, String> {
    match text {
        "NaN" => Ok(f64::NAN),
        "+Inf" | "Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        _ if text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) =>
        {
            text.parse().map_err(|_| format!("the number {text:?}"))
        }
        _ => Err(format!("the number {text:?}")),
    }
}

fn metric_name(name: &str) -> Result<String, String> {
    if !is_name(name, true) {
        return Err(format!("the metric name {name:?}"));
    }
    Ok(name.to_owned())
}

fn is_name(name: &str, colons: bool) -> bool {
    !name.starts_with(|char: char| char.is_ascii_digit())
        && !name.is_empty()
        && (name.bytes())
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || (colons && byte == b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_breaks_the_format_says_how() {
        for (line, expected) in [
            ("a", "a sample without a value"),
            ("a ", "the number \"\""),
            ("a x", "the number \"x\""),
            ("a inf", "the number \"inf\""),
            ("a 0x10", "the number \"0x10\""),
            ("a 1 now", "the timestamp \"now\""),
            ("a  1", "the number \"\""),
            ("a{} 1 2 3", "the timestamp \"2 3\""),
            ("1a 1", "the metric name \"1a\""),
            ("a-b 1", "the metric name \"a-b\""),
            ("a{x=\"1\"}1", "no space before the value"),
            ("a{x=\"1\" 1", "no comma between labels"),
            ("a{x=\"1\"y=\"2\"} 1", "no comma between labels"),
            ("a{x=\"1} 1", "a label value that does not end"),
            ("a{x=1} 1", "a label is name=\"value\""),
            ("a{,} 1", "a label is name=\"value\""),
            ("a{x:y=\"1\"} 1", "the label name \"x:y\""),
            ("a{x=\"1\",x=\"2\"} 1", "the label x is there twice"),
            ("a{x=\"\\t\"} 1", "the escape \\t"),
            ("# TYPE a", "TYPE without a type"),
            ("# TYPE a counters", "the type \"counters\""),
            ("# HELP a-b A.", "the metric name \"a-b\""),
            ("# HELP a \\q", "the escape \\q"),
        ] {
            assert_eq!(parse(line).err().as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn the_numbers_prometheus_writes_are_read() {
        for (text, expected) in [
            ("0", 0.0),
            ("-1.5", -1.5),
            ("1e+06", 1e6),
            ("2.5e-05", 2.5e-5),
            ("-Inf", f64::NEG_INFINITY),
        ] {
            assert_eq!(number(text), Ok(expected));
        }
        assert!(number("NaN").is_ok_and(f64::is_nan));
    }
}
