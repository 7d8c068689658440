//! The labels of a result, as far as an expression and the catalogue determine them.

use std::collections::{BTreeMap, BTreeSet};

/// What is known about one label of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LabelState {
    /// The label is absent. PromQL does not distinguish an absent label from an empty one.
    Absent,
    /// The value is one of these. None of them is empty.
    OneOf(BTreeSet<String>),
    /// The label has a value, which is not known.
    Present,
    /// The label may be absent or have any value.
    Unknown,
}

impl LabelState {
    pub(crate) fn one_of<S: Into<String>>(values: impl IntoIterator<Item = S>) -> Self {
        Self::OneOf(values.into_iter().map(Into::into).collect())
    }

    /// The one value that a `=` matcher leaves.
    pub(crate) fn exactly(value: &str) -> Self {
        match value {
            "" => Self::Absent,
            _ => Self::one_of([value]),
        }
    }

    /// Whether every series carries the label.
    pub(crate) fn is_present(&self) -> bool {
        matches!(self, Self::OneOf(_) | Self::Present)
    }

    /// Whether no value can be on both sides.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::OneOf(left), Self::OneOf(right)) => left.is_disjoint(right),
            (Self::Absent, state) | (state, Self::Absent) => state.is_present(),
            _ => false,
        }
    }

    /// The label of a result that takes series from both sides.
    fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (left, right) if left == right => left.clone(),
            (Self::OneOf(left), Self::OneOf(right)) => Self::OneOf(left | right),
            (left, right) if left.is_present() && right.is_present() => Self::Present,
            _ => Self::Unknown,
        }
    }
}

/// The labels of a result, without the metric's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Labels {
    named: BTreeMap<String, LabelState>,
    /// The state of every label that is not named.
    rest: LabelState,
}

impl Labels {
    /// A result without labels, such as that of `vector(1)`.
    pub(crate) fn none() -> Self {
        Self { named: BTreeMap::new(), rest: LabelState::Absent }
    }

    /// A result about which nothing is known, such as that of a recording rule.
    pub(crate) fn unknown() -> Self {
        Self { named: BTreeMap::new(), rest: LabelState::Unknown }
    }

    /// The same labels, with nothing known about those that are not named.
    pub(crate) fn open(mut self) -> Self {
        self.rest = LabelState::Unknown;
        self
    }

    pub(crate) fn get(&self, name: &str) -> &LabelState {
        match name {
            // Operators match sides without the metric's name.
            "__name__" => &LabelState::Unknown,
            _ => self.named.get(name).unwrap_or(&self.rest),
        }
    }

    pub(crate) fn set(&mut self, name: impl Into<String>, state: LabelState) {
        self.named.insert(name.into(), state);
    }

    pub(crate) fn with(mut self, name: impl Into<String>, state: LabelState) -> Self {
        self.set(name, state);
        self
    }

    /// The labels about which something is known.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// Only the listed labels: `by (…)`, `on (…)`.
    pub(crate) fn only(&self, names: &[String]) -> Self {
        names.iter().fold(Self::none(), |labels, name| labels.with(name, self.get(name).clone()))
    }

    /// All but the listed labels: `without (…)`, `ignoring (…)`.
    pub(crate) fn except(&self, names: &[String]) -> Self {
        names.iter().fold(self.clone(), |labels, name| labels.with(name, LabelState::Absent))
    }

    /// The labels of a result that takes series from both sides.
    pub(crate) fn or(&self, other: &Self) -> Self {
        let names: BTreeSet<&str> = self.names().chain(other.names()).collect();
        let both = Self { named: BTreeMap::new(), rest: self.rest.or(&other.rest) };
        names
            .into_iter()
            .fold(both, |labels, name| labels.with(name, self.get(name).or(other.get(name))))
    }
}
