//! Checks a selector against the catalogue: the metric, its labels, and their values.

use cap_metrics::{METRICS, Metric, Values, metric, metric_of_series};
use cap_names::nearest;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::VectorSelector;

use crate::finding::{Finding, Lint};
use crate::labels::{LabelState, Labels};

/// The labels that a scrape adds to every series. `job` and `instance` are always present. The
/// others depend on where Prometheus runs and how it relabels.
const TARGET_LABELS: [(&str, LabelState); 9] = [
    ("cluster", LabelState::Unknown),
    ("namespace", LabelState::Unknown),
    ("job", LabelState::Present),
    ("instance", LabelState::Present),
    ("pod", LabelState::Unknown),
    // The Prometheus operator adds these.
    ("container", LabelState::Unknown),
    ("endpoint", LabelState::Unknown),
    ("node", LabelState::Unknown),
    ("service", LabelState::Unknown),
];

/// The series that Prometheus itself writes for every target.
const SCRAPE_SERIES: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];

/// Checks a selector and returns the labels of the series that it selects.
pub(crate) fn selected(selector: &VectorSelector, findings: &mut Vec<Finding>) -> Labels {
    if !selector.matchers.or_matchers.is_empty() {
        findings.push(Finding::new(
            Lint::Syntax,
            format!("`or` between the matchers of `{selector}`"),
            "Prometheus does not support it",
            "write one selector for each alternative and join them with `or`",
        ));
        return Labels::unknown();
    }
    let (named, matchers): (Vec<_>, Vec<_>) =
        selector.matchers.matchers.iter().partition(|matcher| matcher.name == "__name__");
    let name = selector.name.as_deref().or_else(|| {
        named
            .iter()
            .find(|matcher| matcher.op == MatchOp::Equal)
            .map(|matcher| matcher.value.as_str())
    });
    let Some(name) = name else {
        if !named.is_empty()
            && !series_names().any(|series| named.iter().all(|m| m.is_match(&series)))
        {
            findings.push(Finding::new(
                Lint::UnknownMetric,
                format!("no metric's name matches `{selector}`"),
                "the selector is always empty",
                "match names of the catalogue, which start with `cap_`",
            ));
        }
        return Labels::unknown();
    };
    let Some(mut labels) = labels_of(name, findings) else {
        return Labels::unknown();
    };
    let carried = labels.clone();
    for matcher in matchers {
        narrow(&mut labels, &carried, name, matcher, findings);
    }
    labels
}

/// The labels of the named series, or `None` if they are not known.
fn labels_of(name: &str, findings: &mut Vec<Finding>) -> Option<Labels> {
    let target = TARGET_LABELS
        .into_iter()
        .fold(Labels::none(), |labels, (name, state)| labels.with(name, state));
    if SCRAPE_SERIES.contains(&name) {
        // Other jobs have them too. Their relabeling may add any label, but hardly one of the
        // catalogue.
        let own = METRICS.iter().flat_map(|metric| metric.labels);
        return Some(
            own.fold(target.open(), |labels, label| labels.with(label.name, LabelState::Absent)),
        );
    }
    // A colon marks the series of a recording rule, which can have any labels.
    if name.contains(':') {
        return None;
    }
    let Some(metric) = metric_of_series(name) else {
        findings.push(unknown_metric(name));
        return None;
    };
    let mut labels = metric.labels.iter().fold(target, |labels, label| {
        let state = match label.values {
            Values::Closed(words) => LabelState::one_of(words.iter().copied()),
            _ => LabelState::Present,
        };
        labels.with(label.name, state)
    });
    if name.ends_with("_bucket") {
        labels.set("le", LabelState::Present);
    }
    Some(labels)
}

/// The name of every series of the catalogue and of the scrape itself.
fn series_names() -> impl Iterator<Item = String> {
    METRICS.iter().flat_map(Metric::series_names).chain(SCRAPE_SERIES.map(str::to_owned))
}

fn unknown_metric(name: &str) -> Finding {
    if metric(name).is_some() {
        return Finding::new(
            Lint::UnknownMetric,
            format!("`{name}` is a histogram"),
            "no series has that bare name",
            format!("write `{name}_bucket`, `{name}_sum` or `{name}_count`"),
        );
    }
    Finding::new(
        Lint::UnknownMetric,
        format!("unknown metric `{name}`"),
        "the catalogue does not declare it, so the selector is always empty",
        match nearest(name, series_names()) {
            Some(near) => format!("write `{near}`"),
            None => "name a metric of the catalogue".to_owned(),
        },
    )
}

/// Narrows the labels of the named series to those that one matcher selects.
fn narrow(
    labels: &mut Labels,
    carried: &Labels,
    series: &str,
    matcher: &Matcher,
    findings: &mut Vec<Finding>,
) {
    let name = matcher.name.as_str();
    if *carried.get(name) == LabelState::Absent {
        let there = || carried.names().filter(|name| *carried.get(name) != LabelState::Absent);
        findings.push(Finding::new(
            Lint::UnknownLabel,
            format!("unknown label `{name}` in `{matcher}`"),
            format!("`{series}` does not carry it"),
            match nearest(name, there()) {
                Some(near) => format!("match on `{near}`"),
                None => format!("match on one of {}", there().collect::<Vec<_>>().join(", ")),
            },
        ));
        return;
    }
    if let Some(label) = metric_of_series(series).and_then(|metric| metric.label(name))
        && let Some(word) = impossible(label.values, matcher)
    {
        findings.push(unknown_value(series, label, &word));
        return;
    }
    let state = match (&matcher.op, labels.get(name)) {
        (MatchOp::Equal, _) => LabelState::exactly(&matcher.value),
        (_, LabelState::OneOf(values)) => {
            LabelState::one_of(values.iter().filter(|value| matcher.is_match(value)).cloned())
        }
        (MatchOp::Re(_), _) if !matcher.is_match("") => match words(&matcher.value) {
            Some(words) => LabelState::one_of(words),
            None => LabelState::Present,
        },
        (_, LabelState::Unknown) if !matcher.is_match("") => LabelState::Present,
        (_, state) => state.clone(),
    };
    // Two matchers that contradict each other select nothing. The first one's values are kept then.
    if state != LabelState::one_of::<&str>([]) {
        labels.set(name, state);
    }
}

/// A value that the matcher names and the label can never have.
fn impossible(values: Values, matcher: &Matcher) -> Option<String> {
    // `!=""` and the like name no value. They say that the label is present.
    let negated = matches!(matcher.op, MatchOp::NotEqual | MatchOp::NotRe(_));
    let never = |word: &&str| !(values.allows(word) || negated && word.is_empty());
    let pattern = match &matcher.op {
        MatchOp::Equal | MatchOp::NotEqual => {
            return Some(matcher.value.as_str()).filter(never).map(str::to_owned);
        }
        MatchOp::Re(pattern) | MatchOp::NotRe(pattern) => pattern,
    };
    if let Some(words) = words(&matcher.value) {
        return words.into_iter().find(never).map(str::to_owned);
    }
    let reachable = match values {
        Values::Closed(words) => words.iter().any(|word| pattern.is_match(word)),
        Values::HttpStatus => (100..=599)
            .map(|code| code.to_string())
            .chain(["none", "other"].map(str::to_owned))
            .any(|word| pattern.is_match(&word)),
        _ => true,
    };
    (!reachable).then(|| matcher.value.clone())
}

/// The alternatives of a regular expression that only lists words, such as `failed|partial`.
fn words(pattern: &str) -> Option<Vec<&str>> {
    pattern
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '|'))
        .then(|| pattern.split('|').collect())
}

fn unknown_value(series: &str, label: &cap_metrics::Label, word: &str) -> Finding {
    let known = match label.values {
        Values::Closed(words) => words,
        _ => &["100 to 599", "none", "other"],
    };
    Finding::new(
        Lint::UnknownValue,
        format!("unknown value {word:?} of label `{}`", label.name),
        format!("`{series}` only has {}", known.join(", ")),
        match nearest(word, known) {
            Some(near) => format!("write {near:?}"),
            None => "write one of these".to_owned(),
        },
    )
}
