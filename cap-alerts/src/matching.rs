//! Which series of its two sides a binary operator pairs, and the labels of the result.

use std::collections::BTreeSet;

use promql_parser::parser::token::{T_LAND, T_LOR, T_LUNLESS};
use promql_parser::parser::{BinaryExpr, LabelModifier, VectorMatchCardinality};

use crate::finding::{Finding, Lint};
use crate::labels::{LabelState, Labels};

/// The labels that differ between the replicas of one service, or only say how they were
/// discovered.
const PER_REPLICA: [&str; 6] = ["instance", "pod", "container", "endpoint", "node", "service"];

/// Two sides of one binary operator.
pub(crate) struct Sides<'a> {
    pub(crate) operator: &'a BinaryExpr,
    pub(crate) left: Labels,
    pub(crate) right: Labels,
}

impl Sides<'_> {
    /// The labels of the result.
    pub(crate) fn result(&self) -> Labels {
        match self.operator.op.id() {
            T_LAND | T_LUNLESS => return self.left.clone(),
            T_LOR => return self.left.or(&self.right),
            _ => {}
        }
        match self.cardinality() {
            VectorMatchCardinality::ManyToOne(taken) => {
                with(&self.left, &taken.labels, &self.right)
            }
            VectorMatchCardinality::OneToMany(taken) => {
                with(&self.right, &taken.labels, &self.left)
            }
            // A fill value can replace either side, so only the matched labels are known.
            _ if self.is_filled() => self.matched(&self.left).or(&self.matched(&self.right)),
            _ => self.matched(&self.left),
        }
    }

    /// The finding for an operator whose sides can never match.
    pub(crate) fn never_match(&self) -> Option<Finding> {
        let conflicts = self.conflicts();
        if conflicts.is_empty() || self.is_filled() {
            return None;
        }
        let op = self.operator.op;
        let consequence = match op.id() {
            T_LUNLESS => "so it removes nothing",
            T_LOR => "so the right side is always added, never a fallback",
            _ => "so the result is always empty",
        };
        Some(Finding::new(
            Lint::NeverMatches,
            format!("the sides of `{op}` can never match"),
            format!("{}, {consequence}", self.reasons(&conflicts).join("; ")),
            self.advice(&conflicts),
        ))
    }

    /// The finding for `and` or `unless` without `on` whose sides need not carry the same labels.
    pub(crate) fn unmatched(&self) -> Option<Finding> {
        let op = self.operator.op;
        if ![T_LAND, T_LUNLESS].contains(&op.id()) || self.modifier().is_some() {
            return None;
        }
        // Only labels that one side is known to carry sometimes.
        let one_sided = |with: &Labels, without: &Labels, name: &str| {
            *without.get(name) == LabelState::Absent
                && *with.get(name) != LabelState::Absent
                && with.names().any(|named| named == name)
        };
        let sided = |name: &&str| {
            one_sided(&self.left, &self.right, name) || one_sided(&self.right, &self.left, name)
        };
        let names: BTreeSet<&str> = self.names().filter(sided).collect();
        if names.is_empty() {
            return None;
        }
        let names: Vec<&str> = names.into_iter().collect();
        Some(Finding::new(
            Lint::Unmatched,
            format!("`{op}` without `on`"),
            format!("the sides match only where {} happen to be absent on both", quoted(&names)),
            self.advice(&names),
        ))
    }

    /// The labels that keep every series of one side from matching a series of the other.
    fn conflicts(&self) -> Vec<&str> {
        let compared: BTreeSet<&str> = match self.modifier() {
            Some(LabelModifier::Include(on)) => on.labels.iter().map(String::as_str).collect(),
            Some(LabelModifier::Exclude(ignored)) => self
                .names()
                .filter(|name| !ignored.labels.iter().any(|ignored| ignored == name))
                .collect(),
            None => self.names().collect(),
        };
        compared
            .into_iter()
            .filter(|name| self.left.get(name).excludes(self.right.get(name)))
            .collect()
    }

    fn reasons(&self, conflicts: &[&str]) -> Vec<String> {
        let only_on = |side: &str, labels: &Labels| {
            let names: Vec<String> = conflicts
                .iter()
                .filter(|name| *labels.get(name) == LabelState::Absent)
                .map(|name| format!("`{name}`"))
                .collect();
            (!names.is_empty())
                .then(|| format!("only the {side} side carries {}", names.join(", ")))
        };
        let differing =
            conflicts.iter().filter_map(|name| match (self.left.get(name), self.right.get(name)) {
                (LabelState::OneOf(left), LabelState::OneOf(right)) => Some(format!(
                    "`{name}` is {} on the left and {} on the right",
                    listed(left),
                    listed(right)
                )),
                _ => None,
            });
        only_on("left", &self.right)
            .into_iter()
            .chain(only_on("right", &self.left))
            .chain(differing)
            .collect()
    }

    fn advice(&self, conflicts: &[&str]) -> String {
        let op = self.operator.op;
        if op.id() == T_LOR {
            return format!(
                "aggregate the left side to no labels, or write `{op} on ()` to add the right side only when the left is empty"
            );
        }
        let on_both =
            |name: &&str| self.left.get(name).is_present() && self.right.get(name).is_present();
        if self.modifier().is_none() && conflicts.iter().all(on_both) {
            return format!("write `{op} ignoring ({})`", conflicts.join(", "));
        }
        let shared: Vec<&str> = self
            .names()
            .filter(|name| {
                let (left, right) = (self.left.get(name), self.right.get(name));
                *left != LabelState::Absent && *right != LabelState::Absent && !left.excludes(right)
            })
            .filter(|name| !PER_REPLICA.contains(name))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        format!(
            "aggregate both sides by labels that they share and write `{op} on ({})`",
            shared.join(", ")
        )
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.left.names().chain(self.right.names())
    }

    /// The labels of one side that the operator compares.
    fn matched(&self, side: &Labels) -> Labels {
        match self.modifier() {
            Some(LabelModifier::Include(on)) => side.only(&on.labels),
            Some(LabelModifier::Exclude(ignored)) => side.except(&ignored.labels),
            None => side.clone(),
        }
    }

    fn modifier(&self) -> Option<&LabelModifier> {
        self.operator.modifier.as_ref()?.matching.as_ref()
    }

    fn cardinality(&self) -> &VectorMatchCardinality {
        match &self.operator.modifier {
            Some(modifier) => &modifier.card,
            None => &VectorMatchCardinality::OneToOne,
        }
    }

    fn is_filled(&self) -> bool {
        self.operator.modifier.as_ref().is_some_and(|modifier| {
            modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some()
        })
    }
}

/// The labels of the many side, with those that `group_left` or `group_right` takes from the other
/// side.
fn with(many: &Labels, taken: &[String], one: &Labels) -> Labels {
    taken.iter().fold(many.clone(), |labels, name| labels.with(name, one.get(name).clone()))
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn listed(values: &BTreeSet<String>) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
    quoted.join(" or ")
}
