//! Rings in a graph of imports.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

/// One use of another file's item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) line: usize,
    pub(super) path: String,
}

/// Imports that lead from a file back to itself.
#[derive(Debug)]
pub(super) struct Ring(Vec<Import>);

impl fmt::Display for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, import) in self.0.iter().enumerate() {
            let Import { from, to, line, path } = import;
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{from}:{line} uses {to} ({path})")?;
        }
        Ok(())
    }
}

/// The shortest ring through each file that is in one, each ring once.
pub(super) fn rings(imports: &[Import]) -> Vec<Ring> {
    let mut edges: BTreeMap<&str, BTreeMap<&str, &Import>> = BTreeMap::new();
    for import in imports {
        let first = edges.entry(&import.from).or_default();
        first.entry(&import.to).or_insert(import);
    }
    let mut named = BTreeSet::new();
    let mut found = Vec::new();
    for &start in edges.keys() {
        if let Some(ring) = shortest(start, &edges) {
            let files: BTreeSet<_> = ring.iter().map(|import| import.from.clone()).collect();
            if named.insert(files) {
                found.push(Ring(ring));
            }
        }
    }
    found
}

fn shortest(start: &str, edges: &BTreeMap<&str, BTreeMap<&str, &Import>>) -> Option<Vec<Import>> {
    let mut reached: BTreeMap<&str, &Import> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for (&to, &import) in edges.get(file).into_iter().flatten() {
            if reached.contains_key(to) {
                continue;
            }
            reached.insert(to, import);
            if to == start {
                return Some(way_back(start, &reached));
            }
            queue.push_back(to);
        }
    }
    None
}

fn way_back(start: &str, reached: &BTreeMap<&str, &Import>) -> Vec<Import> {
    let mut ring = vec![reached[start].clone()];
    while ring[0].from != start {
        ring.insert(0, reached[ring[0].from.as_str()].clone());
    }
    ring
}
