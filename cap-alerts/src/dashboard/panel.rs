//! What a dashboard is made of.

use crate::placeholder::with_selector;

/// The variables of the dashboard, in every selector.
const NARROWED: &str = r#"cluster=~"$cluster", namespace=~"$namespace", job=~"$job""#;

/// A Grafana dashboard.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dashboard {
    /// From top to bottom.
    pub rows: Vec<Row>,
}

/// One row of panels.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// Stands above the panels.
    pub title: &'static str,
    /// From left to right.
    pub panels: Vec<Panel>,
}

/// One panel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Panel {
    /// What the panel shows.
    pub title: &'static str,
    /// Grafana's name of the unit.
    pub unit: &'static str,
    /// What the panel reads.
    pub queries: Vec<Query>,
    pub(crate) kind: PanelKind,
}

/// One query of a panel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Query {
    /// PromQL with Grafana's variables.
    pub expr: String,
    /// A template of labels; empty for none.
    pub legend: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum PanelKind {
    Stat,
    Series,
}

impl Panel {
    /// The latest value of one query.
    pub(crate) fn stat(title: &'static str, unit: &'static str, expr: &str) -> Self {
        Self::new(PanelKind::Stat, title, unit, &[(expr, "")])
    }

    /// Queries with their legends, over time.
    pub(crate) fn series(
        title: &'static str,
        unit: &'static str,
        queries: &[(&str, &'static str)],
    ) -> Self {
        Self::new(PanelKind::Series, title, unit, queries)
    }

    fn new(
        kind: PanelKind,
        title: &'static str,
        unit: &'static str,
        queries: &[(&str, &'static str)],
    ) -> Self {
        let queries = queries.iter().map(|(expr, legend)| Query { expr: narrowed(expr), legend });
        Self { title, unit, queries: queries.collect(), kind }
    }
}

/// The expression with the variables in every selector, and Grafana's interval in place of `$R`.
fn narrowed(expr: &str) -> String {
    with_selector(expr)
        .replace("{$SELECTOR}", &format!("{{{NARROWED}}}"))
        .replace("$SELECTOR", NARROWED)
        .replace("$R", "$__rate_interval")
}
