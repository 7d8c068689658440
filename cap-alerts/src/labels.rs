//! The set of labels that a result carries, as far as an expression and the catalogue tell.

use std::collections::{BTreeMap, BTreeSet};

/// What may stand in one label of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// The label is not there. PromQL does not tell an absent label from an empty one.
    Nothing,
    /// One of these values, none of them empty.
    OneOf(BTreeSet<String>),
    /// A value that is not known.
    Something,
    /// A value that is not known, or no label at all.
    Anything,
}

impl Held {
    pub(crate) fn one_of<S: Into<String>>(values: impl IntoIterator<Item = S>) -> Self {
        Held::OneOf(values.into_iter().map(Into::into).collect())
    }

    /// The one value a `=` matcher leaves.
    pub(crate) fn exactly(value: &str) -> Self {
        match value {
            "" => Held::Nothing,
            _ => Held::one_of([value]),
        }
    }

    /// Whether the label is there on every series.
    pub(crate) fn is_present(&self) -> bool {
        matches!(self, Held::OneOf(_) | Held::Something)
    }

    /// Whether no value can stand on both sides.
    pub(crate) fn excludes(&self, other: &Held) -> bool {
        match (self, other) {
            (Held::OneOf(left), Held::OneOf(right)) => left.is_disjoint(right),
            (Held::Nothing, held) | (held, Held::Nothing) => held.is_present(),
            _ => false,
        }
    }

    /// What stands in a result that takes series from both sides.
    fn or(&self, other: &Held) -> Held {
        match (self, other) {
            (left, right) if left == right => left.clone(),
            (Held::OneOf(left), Held::OneOf(right)) => Held::OneOf(left | right),
            (left, right) if left.is_present() && right.is_present() => Held::Something,
            _ => Held::Anything,
        }
    }
}

/// The labels of a result, the metric's name aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Labels {
    named: BTreeMap<String, Held>,
    /// What stands in every label that is not named.
    rest: Held,
}

impl Labels {
    /// A result without labels, such as that of `vector(1)`.
    pub(crate) fn none() -> Self {
        Labels {
            named: BTreeMap::new(),
            rest: Held::Nothing,
        }
    }

    /// A result of which nothing is known, such as that of a recording rule.
    pub(crate) fn unknown() -> Self {
        Labels {
            named: BTreeMap::new(),
            rest: Held::Anything,
        }
    }

    /// The same, where nothing is known of the labels that are not named.
    pub(crate) fn open(mut self) -> Self {
        self.rest = Held::Anything;
        self
    }

    pub(crate) fn get(&self, name: &str) -> &Held {
        match name {
            // Sides are matched without the metric's name, whatever it is.
            "__name__" => &Held::Anything,
            _ => self.named.get(name).unwrap_or(&self.rest),
        }
    }

    pub(crate) fn set(&mut self, name: impl Into<String>, held: Held) {
        self.named.insert(name.into(), held);
    }

    pub(crate) fn with(mut self, name: impl Into<String>, held: Held) -> Self {
        self.set(name, held);
        self
    }

    /// The labels something is known of.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// Only the listed labels: `by (…)`, `on (…)`.
    pub(crate) fn only(&self, names: &[String]) -> Self {
        names.iter().fold(Labels::none(), |labels, name| {
            labels.with(name, self.get(name).clone())
        })
    }

    /// All but the listed labels: `without (…)`, `ignoring (…)`.
    pub(crate) fn except(&self, names: &[String]) -> Self {
        names.iter().fold(self.clone(), |labels, name| {
            labels.with(name, Held::Nothing)
        })
    }

    /// The labels of a result that takes series from both sides.
    pub(crate) fn or(&self, other: &Labels) -> Self {
        let names: BTreeSet<&str> = self.names().chain(other.names()).collect();
        let both = Labels {
            named: BTreeMap::new(),
            rest: self.rest.or(&other.rest),
        };
        names.into_iter().fold(both, |labels, name| {
            labels.with(name, self.get(name).or(other.get(name)))
        })
    }
}
