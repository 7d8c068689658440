//! A YAML text as leaves: the dotted path of each value, the value as text, and its line.

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
    /// `key:` without a value, or an empty section. It sets nothing, but the key must be valid.
    Nothing,
    Scalar(String),
    List(Vec<String>),
}

pub(super) type Leaves = BTreeMap<String, Leaf>;

pub(super) fn leaves(file: &str, text: &str) -> Result<Leaves, Error> {
    // A file of comments is an empty configuration.
    let is_comment = |line: &str| matches!(line.trim_start().chars().next(), None | Some('#'));
    if text.lines().all(is_comment) {
        return Ok(Leaves::new());
    }
    let root: Spanned<Node> = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        Error::config(format!("{file}:{line}"), format!("not valid YAML: {first}"))
    })?;
    let mut document = Flat { file, text, leaves: Leaves::new() };
    match root.value {
        Node::Null => {}
        Node::Map(entries) => document.section("", entries)?,
        _ => {
            return Err(Error::config(format!("{file}:1"), "expected keys and values"));
        }
    }
    Ok(document.leaves)
}

enum Node {
    Null,
    /// A boolean or a number. The text counts, not its value in YAML: `007` may be a name, `12e5` a
    /// password.
    Plain,
    Text(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

struct Flat<'a> {
    file: &'a str,
    text: &'a str,
    leaves: Leaves,
}

impl Flat<'_> {
    fn section(
        &mut self,
        path: &str,
        entries: Vec<(Spanned<String>, Spanned<Node>)>,
    ) -> Result<(), Error> {
        for (key, node) in entries {
            let path = if path.is_empty() { key.value } else { format!("{path}.{}", key.value) };
            let line = node.referenced.line();
            let value = match node.value {
                Node::Map(entries) if !entries.is_empty() => {
                    self.section(&path, entries)?;
                    continue;
                }
                Node::Null | Node::Map(_) => Value::Nothing,
                Node::List(nodes) => {
                    let texts = nodes.into_iter().map(|node| self.scalar(&path, node));
                    Value::List(texts.collect::<Result<_, _>>()?)
                }
                Node::Plain | Node::Text(_) => Value::Scalar(self.scalar(&path, node)?),
            };
            let place = format!("{}:{line}: {path}", self.file);
            if let Some(first) = self.leaves.insert(path, Leaf { line, value }) {
                let what = format!("given twice, first on line {}", first.line);
                return Err(Error::config(place, what));
            }
        }
        Ok(())
    }

    fn scalar(&self, path: &str, node: Spanned<Node>) -> Result<String, Error> {
        let source = || {
            let span = node.defined.span();
            let start = usize::try_from(span.byte_offset()?).ok()?;
            let length = usize::try_from(span.byte_len()?).ok()?;
            self.text.get(start..start + length).map(str::to_owned)
        };
        let text = match &node.value {
            Node::Text(text) => Some(text.clone()),
            Node::Plain => source(),
            _ => None,
        };
        text.ok_or_else(|| {
            let place = format!("{}:{}: {path}", self.file, node.referenced.line());
            Error::config(place, "expected a list of plain values")
        })
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

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
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
