//! Placeholders in expressions and texts. The Helm chart fills the same ones with its templates.

/// What a deployment chose for one alert.
pub(crate) struct Values<'a> {
    pub(crate) group: &'a [String],
    /// Matchers as between braces; empty for none.
    pub(crate) selector: &'a str,
    pub(crate) threshold: &'a str,
    pub(crate) window: &'a str,
    pub(crate) job: &'a str,
}

/// The text with every placeholder filled.
pub(crate) fn filled(text: &str, values: &Values<'_>) -> String {
    let or_nothing = |text: String, value: &str| match value {
        "" => String::new(),
        _ => text,
    };
    let group = values.group.join(", ");
    let selector = values.selector;
    text.replace("$GROUP, ", &or_nothing(format!("{group}, "), &group))
        .replace("$GROUP", &group)
        .replace("{$SELECTOR}", &or_nothing(format!("{{{selector}}}"), selector))
        .replace(", $SELECTOR", &or_nothing(format!(", {selector}"), selector))
        .replace("$THRESHOLD", values.threshold)
        .replace("$WINDOW", values.window)
        .replace("$JOB", values.job)
}

/// The expression with `$SELECTOR` in every selector of a series that is scraped: `cap_…` and
/// `up`.
pub(crate) fn with_selector(expr: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let mut out = String::new();
    let mut rest = expr;
    while let Some(start) = rest.find(word) {
        let (before, from) = rest.split_at(start);
        let (name, after) = from.split_at(from.find(|c| !word(c)).unwrap_or(from.len()));
        out += before;
        out += name;
        rest = after;
        // A quoted word is the value of a label.
        if before.ends_with('"') || !(name.starts_with("cap_") || name == "up") {
            continue;
        }
        match after.split_once('}') {
            Some((matchers, after)) if matchers.starts_with('{') => {
                out += matchers;
                out += ", $SELECTOR}";
                rest = after;
            }
            _ => out += "{$SELECTOR}",
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_leave_no_comma_behind() {
        let expr = with_selector(
            r#"sum by ($GROUP, type) (rate(cap_x{a="up"}[$WINDOW])) > $THRESHOLD and on ($GROUP) up"#,
        );
        let group = ["job".to_owned()];
        let values =
            |group, selector| Values { group, selector, threshold: "3", window: "5m", job: "" };
        assert_eq!(
            filled(&expr, &values(&group, r#"b="c""#)),
            r#"sum by (job, type) (rate(cap_x{a="up", b="c"}[5m])) > 3 and on (job) up{b="c"}"#
        );
        assert_eq!(
            filled(&expr, &values(&[], "")),
            r#"sum by (type) (rate(cap_x{a="up"}[5m])) > 3 and on () up"#
        );
    }
}
