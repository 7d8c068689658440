//! The pages that `runbook_url` leads to.

use std::fmt::Write as _;

use crate::alerts::definitions;
use crate::definition::{Definition, Diagnosis, Severity};
use crate::options::Options;
use crate::placeholder::{Values, filled};

/// The name and the text of every page.
pub(crate) fn pages() -> Vec<(String, String)> {
    let alerts = definitions();
    let mut pages: Vec<(String, String)> = Vec::new();
    for alert in alerts {
        if pages.iter().all(|(name, _)| name != alert.page()) {
            let sharing: Vec<&Definition> =
                alerts.iter().filter(|other| other.page() == alert.page()).collect();
            pages.push((alert.page().to_owned(), page(alert, &sharing)));
        }
    }
    pages
}

fn page(alert: &Definition, sharing: &[&Definition]) -> String {
    let options = Options::default();
    let group = options.grouping_of(None);
    let fill = |of: &Definition, text: &str| {
        let values = Values {
            group: &group,
            selector: "",
            threshold: of.threshold.as_deref().unwrap_or_default(),
            window: of.window.as_deref().unwrap_or_default(),
            job: options.job.as_str(),
        };
        filled(text, &values)
    };
    let mut page = format!("# {}\n\n", alert.page());
    for of in sharing {
        let after =
            of.for_duration.as_ref().map_or("at once".to_owned(), |time| format!("after {time}"));
        let urgency = match of.severity {
            Severity::Critical => "Someone must act now.",
            Severity::Warning => "Someone must act soon.",
        };
        let _ = writeln!(page, "- `{}` ({}): fires {after}. {urgency}", of.name, of.severity);
    }
    let runbook = &alert.runbook;
    let _ = write!(
        page,
        "\n## Meaning\n\n{}\n\n## Impact\n\n{}\n\n## Diagnosis\n",
        runbook.meaning, runbook.impact
    );
    for Diagnosis { title, query } in &runbook.diagnosis {
        let _ = write!(page, "\n{title}:\n\n```promql\n{}\n```\n", fill(alert, query));
    }
    let _ = write!(page, "\n## Mitigation\n\n{}\n\n## Expression\n", runbook.mitigation);
    for of in sharing {
        let _ = write!(page, "\n```promql\n{}\n```\n", fill(of, &of.expr));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::check;

    #[test]
    fn every_page_is_complete_and_its_queries_are_sound() {
        for (name, text) in pages() {
            let sections: Vec<&str> = text.split("\n## ").collect();
            assert_eq!(sections.len(), 6, "{name}");
            assert!(
                sections.iter().all(|section| section.trim().lines().count() > 1),
                "{name}: {text}"
            );
            for query in text.split("```promql\n").skip(1) {
                let query = query.split("\n```").next().unwrap();
                assert_eq!(check(query), [], "{name}: {query}");
            }
        }
    }
}
