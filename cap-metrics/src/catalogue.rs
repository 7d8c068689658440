//! The one declaration of every metric: its name, kind, labels, help and buckets.
//!
//! The table ([`metrics!`](table)) is data only. From it come [`METRICS`], which documentation,
//! dashboards and the alert checker read, and the instruments that the groups record into
//! (`Families`). A new metric is a line of the table and a method of the group that records it.

mod http;
mod kind;
pub(crate) mod labels;
mod table;
mod validate;
mod values;

use cap_names::closed_enum;

#[cfg(feature = "prometheus-client")]
pub(crate) use kind::openmetrics_suffixes;
pub use kind::{Kind, SAMPLE_SUFFIXES};
pub(crate) use table::metrics;
pub use values::Values;
pub(crate) use values::{HTTP_STATUSES, LabelType};

/// One metric of the catalogue, as data.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Metric {
    /// The name on the wire, for a counter with its `_total`.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// The labels, in wire order.
    pub labels: &'static [Label],
    /// One sentence for `# HELP`.
    pub help: &'static str,
    /// The unit that ends its name (before `_total`): `seconds`, `bytes`, `ratio`; empty without
    /// one.
    pub unit: &'static str,
    /// The group that records it.
    pub group: Group,
    /// Upper bounds of a histogram's buckets, without `+Inf`; empty for other kinds.
    pub buckets: &'static [f64],
}

impl Metric {
    /// The names of its series in the text formats.
    pub fn series_names(&self) -> impl Iterator<Item = String> {
        let suffixes = self.kind.series_suffixes().iter();
        suffixes.map(|suffix| format!("{}{suffix}", self.name))
    }

    /// The label of the given name.
    pub fn label(&self, name: &str) -> Option<&'static Label> {
        self.labels.iter().find(|label| label.name == name)
    }
}

/// One label of a metric.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Label {
    /// The name on the wire.
    pub name: &'static str,
    /// The values that it may have.
    pub values: Values,
}

/// The metric of the given [name](Metric::name).
pub fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

/// The metric that has a series of the given name: for a histogram `…_bucket`, `…_sum` or
/// `…_count`.
pub fn metric_of_series(series: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| {
        let suffix = series.strip_prefix(metric.name);
        suffix.is_some_and(|suffix| metric.kind.series_suffixes().contains(&suffix))
    })
}

const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const JOB_SECONDS: &[f64] =
    &[0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];

macro_rules! kind {
    (counter) => {
        Kind::Counter
    };
    (mirror) => {
        Kind::Counter
    };
    (gauge) => {
        Kind::Gauge
    };
    (inventory) => {
        Kind::Gauge
    };
    (histogram) => {
        Kind::Histogram
    };
}

macro_rules! buckets {
    () => {
        &[]
    };
    ($bounds:ident) => {
        $bounds
    };
}

macro_rules! catalogue {
    ($(
        $(#[$group_meta:meta])*
        $group:ident $Group:ident = $group_name:literal {$(
            $instrument:ident $field:ident = $name:literal {$($label:tt: $Label:ident),*}
                $(in $buckets:ident)? $help:literal;
        )*}
    )*) => {
        closed_enum! {
            /// The groups of the catalogue.
            pub enum Group: "metric group" {
                $($(#[$group_meta])* $Group = $group_name,)*
            }
        }

        /// Every metric, in the order of exposition.
        pub static METRICS: &[Metric] = &[$($(
            Metric {
                name: $name,
                kind: kind!($instrument),
                labels: &[$(
                    Label {
                        name: stringify!($label),
                        values: <labels::$Label as LabelType>::VALUES,
                    }
                ),*],
                help: $help,
                unit: validate::unit($name),
                group: Group::$Group,
                buckets: buckets!($($buckets)?),
            },
        )*)*];

        const NAMES: &[&str] = &[$($($name,)*)*];

        // A catalogue that cannot be exposed does not compile.
        $($(
            const _: () = {
                assert!(
                    validate::is_name($name),
                    concat!($name, ": use lower-case letters, digits and _, a letter first"),
                );
                assert!(
                    !matches!(kind!($instrument), Kind::Counter)
                        || validate::ends_with($name, "_total"),
                    concat!($name, ": end the name of a counter in _total"),
                );
                assert!(
                    !validate::has_clash($name, NAMES),
                    concat!($name, ": another metric has a sample of this name; rename one"),
                );
                assert!(
                    validate::are_labels(&[$(stringify!($label)),*]),
                    concat!($name, ": name each label once, not le, by the rule for names"),
                );
                assert!(
                    validate::rise(buckets!($($buckets)?)),
                    concat!($name, ": write finite buckets in rising order"),
                );
            };
        )*)*
    };
}

metrics!(catalogue);
