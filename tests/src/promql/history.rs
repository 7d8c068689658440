//! Series over time, as Prometheus stores them: with the target's labels, `up`, and stale markers.

use super::eval::eval;
use super::{Error, Labels, NAME, Value, Vector};
use crate::scrape::{Scrape, Scraper};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// What was scraped from any number of targets.
#[derive(Clone, Debug, Default)]
pub struct History {
    series: BTreeMap<Labels, Vec<Point>>,
    /// By job and instance: the series of the target's last scrape.
    current: BTreeMap<(String, String), BTreeSet<Labels>>,
}

/// A sample, or with no value a stale marker: the series was no longer there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// Milliseconds since 1970, the resolution of Prometheus.
    pub(super) at: i64,
    pub(super) value: Option<f64>,
}

impl History {
    /// Adds everything a scraper read so far from its target, failures included.
    pub fn add_target(&mut self, job: &str, instance: &str, scraper: &Scraper) {
        let scrapes = scraper.history();
        let mut attempts: Vec<(f64, Option<&Scrape>)> = (scrapes.iter())
            .map(|scrape| (scrape.at, Some(scrape.as_ref())))
            .collect();
        attempts.extend(scraper.failures().iter().map(|(at, _)| (*at, None)));
        attempts.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (at, scrape) in attempts {
            match scrape {
                Some(scrape) => self.scraped(job, instance, scrape),
                None => self.failed(job, instance, at),
            }
        }
    }

    /// Adds a scrape of a target. Scrapes of one target come in the order of their time.
    pub fn scraped(&mut self, job: &str, instance: &str, scrape: &Scrape) {
        let at = millis(scrape.at);
        let mut seen = BTreeSet::new();
        for sample in scrape.samples() {
            let mut labels = target(&sample.name, job, instance);
            for (name, value) in &sample.labels {
                // An empty label is no label, and one that the target has as well is renamed.
                if !value.is_empty() {
                    let taken = name == "job" || name == "instance";
                    let name = if taken {
                        format!("exported_{name}")
                    } else {
                        name.clone()
                    };
                    labels.insert(name, value.clone());
                }
            }
            self.push(labels.clone(), at, Some(sample.value));
            seen.insert(labels);
        }
        self.ended(job, instance, at, seen, 1.0);
    }

    /// Adds a failed scrape: `up` is 0 and every series of the target is stale.
    pub fn failed(&mut self, job: &str, instance: &str, at: f64) {
        self.ended(job, instance, millis(at), BTreeSet::new(), 0.0);
    }

    /// Evaluates an expression at an instant, in seconds since 1970.
    ///
    /// # Errors
    /// When it is no PromQL, or uses what this evaluator does not know, or has no value.
    pub fn query(&self, expr: &str, at: f64) -> Result<Value, Error> {
        let expr = promql_parser::parser::parse(expr).map_err(Error::Syntax)?;
        eval(self, &expr, millis(at))
    }

    /// The alerts that a rule with this expression and no `for` would raise: its elements, without their names.
    ///
    /// # Errors
    /// As for [`query`](Self::query), and for an expression that is a scalar.
    pub fn alerts(&self, expr: &str, at: f64) -> Result<Vector, Error> {
        match self.query(expr, at)? {
            Value::Vector(vector) => super::without_names(vector),
            Value::Scalar(_) => Err(Error::Evaluation("an alert is a vector".to_owned())),
        }
    }

    pub(super) fn series(&self) -> impl Iterator<Item = (&Labels, &[Point])> {
        (self.series.iter()).map(|(labels, points)| (labels, points.as_slice()))
    }

    fn ended(&mut self, job: &str, instance: &str, at: i64, seen: BTreeSet<Labels>, up: f64) {
        let current = (self.current)
            .entry((job.to_owned(), instance.to_owned()))
            .or_default();
        let before = std::mem::replace(current, seen);
        let gone: Vec<_> = before.difference(current).cloned().collect();
        for series in gone {
            self.push(series, at, None);
        }
        self.push(target("up", job, instance), at, Some(up));
    }

    pub(super) fn push(&mut self, labels: Labels, at: i64, value: Option<f64>) {
        let points = self.series.entry(labels).or_default();
        // Prometheus refuses a second sample for the same instant, and one before the last.
        if points.last().is_none_or(|last| last.at < at) {
            points.push(Point { at, value });
        }
    }
}

/// The points within a window.
pub(super) fn window(
    points: &[Point],
    window: &RangeInclusive<i64>,
) -> impl Iterator<Item = Point> {
    points
        .iter()
        .filter(|point| window.contains(&point.at))
        .copied()
}

fn target(name: &str, job: &str, instance: &str) -> Labels {
    [(NAME, name), ("job", job), ("instance", instance)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn millis(seconds: f64) -> i64 {
    (seconds * 1e3).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scrape::exposition;

    fn scrape(at: f64, samples: &str) -> Scrape {
        let text = format!("# HELP g G.\n# TYPE g gauge\n{samples}");
        Scrape {
            at,
            families: exposition::parse(&text).expect("valid"),
        }
    }

    fn count(history: &History, expr: &str, at: f64) -> usize {
        history.alerts(expr, at).expect("a vector").len()
    }

    #[test]
    fn a_series_that_is_gone_is_stale_at_once_and_last_over_time_still_sees_it() {
        let mut history = History::default();
        history.scraped("j", "i", &scrape(1000.0, "g{x=\"1\"} 1\ng{x=\"2\"} 2\n"));
        history.scraped("j", "i", &scrape(1030.0, "g{x=\"2\"} 2\n"));
        assert_eq!(count(&history, "g", 1010.0), 2);
        assert_eq!(count(&history, "g", 1030.0), 1);
        assert_eq!(count(&history, "last_over_time(g[1m])", 1030.0), 2);
    }

    #[test]
    fn a_target_that_is_down_is_stale_and_up_says_so() {
        let mut history = History::default();
        history.scraped("j", "i", &scrape(1000.0, "g 1\n"));
        history.failed("j", "i", 1030.0);
        assert_eq!(count(&history, "g", 1040.0), 0);
        assert_eq!(count(&history, "up == 0", 1040.0), 1);
    }

    #[test]
    fn without_scrapes_a_sample_is_looked_back_to_for_five_minutes() {
        let mut history = History::default();
        history.scraped("j", "i", &scrape(1000.0, "g 1\n"));
        assert_eq!(count(&history, "g", 1300.0), 1);
        assert_eq!(count(&history, "g", 1300.001), 0);
        assert_eq!(count(&history, "g", 999.0), 0);
    }

    #[test]
    fn labels_of_the_target_win_and_empty_labels_are_none() {
        let mut history = History::default();
        history.scraped("j", "i", &scrape(1.0, "g{job=\"other\",x=\"\"} 1\n"));
        let found = history
            .alerts("g{exported_job=\"other\", x=\"\"}", 1.0)
            .unwrap();
        let labels = [("exported_job", "other"), ("instance", "i"), ("job", "j")];
        let expected: Labels = labels.map(|(a, b)| (a.to_owned(), b.to_owned())).into();
        assert_eq!(found.into_keys().collect::<Vec<_>>(), [expected]);
    }
}
