//! A YAML text as leaves: the dotted path of each value, the value as text, and the line it stands on.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::error::Error;

pub(super) struct Leaf {
    pub(super) line: u64,
    pub(super) value: Value,
}

pub(super) enum Value {
    Scalar(String),
    List(Vec<String>),
}

pub(super) fn leaves(file: &str, text: &str) -> Result<BTreeMap<String, Leaf>, Error> {
    let mut leaves = BTreeMap::new();
    // A file of comments is an empty configuration.
    if text
        .lines()
        .all(|line| matches!(line.trim_start().chars().next(), None | Some('#')))
    {
        return Ok(leaves);
    }
    let root: Spanned<Node> = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        let first = error.to_string();
        let first = first.lines().next().unwrap_or_default().to_owned();
        Error::config(
            format!("{file}:{line}"),
            format!("not readable as YAML: {first}"),
        )
    })?;
    match root.value {
        Node::Map(_) | Node::Null => flatten(file, "", root, &mut leaves)?,
        _ => {
            return Err(Error::config(
                format!("{file}:1"),
                "expected keys and values",
            ));
        }
    }
    Ok(leaves)
}

enum Node {
    Null,
    Scalar(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

fn flatten(
    file: &str,
    path: &str,
    node: Spanned<Node>,
    leaves: &mut BTreeMap<String, Leaf>,
) -> Result<(), Error> {
    let line = node.referenced.line();
    let value = match node.value {
        // `key:` with nothing behind it is not set.
        Node::Null => return Ok(()),
        Node::Map(entries) => {
            for (key, value) in entries {
                let path = if path.is_empty() {
                    key.value
                } else {
                    format!("{path}.{}", key.value)
                };
                flatten(file, &path, value, leaves)?;
            }
            return Ok(());
        }
        Node::Scalar(text) => Value::Scalar(text),
        Node::List(nodes) => {
            let texts = nodes.into_iter().map(|node| match node.value {
                Node::Scalar(text) => Ok(text),
                _ => Err(Error::config(
                    format!("{file}:{}: {path}", node.referenced.line()),
                    "expected a list of plain values",
                )),
            });
            Value::List(texts.collect::<Result<_, _>>()?)
        }
    };
    match leaves.insert(path.to_owned(), Leaf { line, value }) {
        None => Ok(()),
        Some(first) => Err(Error::config(
            format!("{file}:{line}: {path}"),
            format!("given twice, first on line {}", first.line),
        )),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a section")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}
