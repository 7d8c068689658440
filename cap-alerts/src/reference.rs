//! The metric catalogue as a page of documentation.

use std::fmt::Write as _;

use cap_metrics::{Group, Label, METRICS, Metric, Values};
use cap_names::ClosedEnum as _;

/// A section for every group, with a table of its metrics.
pub(crate) fn page() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         A histogram is exposed as `_bucket`, `_sum` and `_count`. An open label has at most the given number\n\
         of values. Further values are folded into `_overflow`, and `cap_telemetry_series_folded_total`\n\
         counts them.\n",
    );
    for group in Group::ALL {
        let metrics = METRICS.iter().filter(|metric| metric.group == *group);
        section(&mut page, *group, metrics).expect("a String takes all that is written");
    }
    page
}

fn section<'a>(
    page: &mut String,
    group: Group,
    metrics: impl Iterator<Item = &'a Metric> + Clone,
) -> std::fmt::Result {
    writeln!(page, "\n## {group}\n")?;
    writeln!(page, "| name | kind | labels | help |\n|---|---|---|---|")?;
    for metric in metrics.clone() {
        let labels: Vec<String> = metric.labels.iter().map(label).collect();
        let labels = match labels.as_slice() {
            [] => "none".to_owned(),
            labels => labels.join("<br>"),
        };
        writeln!(page, "| `{}` | {} | {labels} | {} |", metric.name, metric.kind, metric.help)?;
    }
    for metric in metrics.filter(|metric| !metric.buckets.is_empty()) {
        let bounds: Vec<String> = metric.buckets.iter().map(f64::to_string).collect();
        writeln!(page, "\nBuckets of `{}`: {}, +Inf.", metric.name, bounds.join(", "))?;
    }
    Ok(())
}

fn label(label: &Label) -> String {
    let values = match label.values {
        Values::Closed(words) => words.join(", "),
        Values::HttpStatus => "100 to 599, none, other".to_owned(),
        Values::Open { limit } => format!("open, at most {limit}"),
        _ => "open".to_owned(),
    };
    format!("`{}` ({values})", label.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_one_row_of_four_cells() {
        let page = page();
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(rows.len(), METRICS.len());
        for (row, metric) in rows.iter().zip(METRICS) {
            assert!(row.starts_with(&format!("| `{}` | {} | ", metric.name, metric.kind)), "{row}");
            assert_eq!(row.matches('|').count(), 5, "{row}");
        }
    }

    #[test]
    fn closed_labels_list_their_values() {
        assert!(page().contains("`status` (active, expired, revoked, renewal_failed)<br>`issuer_type` (open, at most 16)"));
    }
}
