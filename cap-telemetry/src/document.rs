//! A configuration file with the environment over it, read key by key.

mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::error::{Error, Kind};
use yaml::{Leaf, Value};

/// One YAML file, overridden by `CERTAUTOPILOT_*` in the environment.
///
/// Whoever needs a key takes it, in whatever order; a key that nobody takes is a mistake, which [`finish`](Document::finish)
/// reports with the nearest key that somebody did take. So a program's own keys and those of
/// [`Config`](crate::Config) live in one file.
///
/// The variable of a key is its path in capitals with `_` for `.`: `telemetry.tracing.sample_rate` is
/// `CERTAUTOPILOT_TELEMETRY_TRACING_SAMPLE_RATE`.
pub struct Document {
    file: String,
    leaves: BTreeMap<String, Leaf>,
    env: BTreeMap<String, String>,
    known: BTreeSet<String>,
}

impl Document {
    /// Reads a file and the environment of the process.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not YAML, or gives a key twice.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = path.as_ref().display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| Kind::Unreadable {
            file: file.clone(),
            source,
        })?;
        #[expect(clippy::disallowed_methods, reason = "this is the loader")]
        let env = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::parse(file, &text, env)
    }

    /// Reads a text, under the name `file`, and the given environment.
    ///
    /// # Errors
    ///
    /// When the text is not YAML, or gives a key twice.
    pub fn parse(
        file: impl Into<String>,
        text: &str,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let file = file.into();
        Ok(Document {
            leaves: yaml::leaves(&file, text)?,
            file,
            env: env.into_iter().collect(),
            known: BTreeSet::new(),
        })
    }

    /// Takes a value: from the environment, else from the file, else `None`.
    ///
    /// # Errors
    ///
    /// When it does not parse; the message says where it stands, and what `T` says of it.
    pub fn take<T: FromStr>(&mut self, key: &str) -> Result<Option<T>, Error>
    where
        T::Err: fmt::Display,
    {
        self.known.insert(key.to_owned());
        let leaf = self.leaves.remove(key);
        let (place, text) = if let Some(text) = self.env.get(&variable(key)) {
            (self.variable_place(key), text.clone())
        } else {
            match leaf {
                None => return Ok(None),
                Some(Leaf {
                    line,
                    value: Value::Scalar(text),
                }) => (self.place(line, key), text),
                Some(Leaf {
                    line,
                    value: Value::List(_),
                }) => {
                    return Err(Error::config(
                        self.place(line, key),
                        "expected one value, found a list",
                    ));
                }
            }
        };
        text.parse()
            .map(Some)
            .map_err(|error: T::Err| Error::config(place, explained::<T>(&text, &error)))
    }

    /// Takes a list: from the environment, separated by commas, else from the file, else empty.
    ///
    /// # Errors
    ///
    /// When an element does not parse, or a single value stands where the list should.
    pub fn take_list<T: FromStr>(&mut self, key: &str) -> Result<Vec<T>, Error>
    where
        T::Err: fmt::Display,
    {
        self.known.insert(key.to_owned());
        let leaf = self.leaves.remove(key);
        let (place, texts) = if let Some(text) = self.env.get(&variable(key)) {
            let texts = text
                .split(',')
                .map(str::trim)
                .filter(|text| !text.is_empty());
            (self.variable_place(key), texts.map(str::to_owned).collect())
        } else {
            match leaf {
                None => return Ok(Vec::new()),
                Some(Leaf {
                    line,
                    value: Value::List(texts),
                }) => (self.place(line, key), texts),
                Some(Leaf {
                    line,
                    value: Value::Scalar(_),
                }) => {
                    return Err(Error::config(
                        self.place(line, key),
                        "expected a list, found one value",
                    ));
                }
            }
        };
        let parsed = texts.iter().map(|text| {
            text.parse()
                .map_err(|error: T::Err| Error::config(place.clone(), format!("{text:?}: {error}")))
        });
        parsed.collect()
    }

    /// Takes every key below `key` with its value: from the environment, as `name=value` separated by commas, else from the
    /// file, else empty.
    ///
    /// # Errors
    ///
    /// When something else than names with one value each stands there.
    pub fn take_map(&mut self, key: &str) -> Result<Vec<(String, String)>, Error> {
        self.known.insert(key.to_owned());
        let prefix = format!("{key}.");
        let below: Vec<_> = self
            .leaves
            .keys()
            .filter(|leaf| leaf.starts_with(&prefix))
            .cloned()
            .collect();
        let leaves: Vec<_> = below
            .into_iter()
            .filter_map(|path| self.leaves.remove_entry(&path))
            .collect();
        if let Some(text) = self.env.get(&variable(key)) {
            return pairs(text).map_err(|what| Error::config(self.variable_place(key), what));
        }
        let pair = |(path, leaf): (String, Leaf)| match leaf.value {
            Value::Scalar(text) => Ok((path[prefix.len()..].to_owned(), text)),
            Value::List(_) => Err(Error::config(
                self.place(leaf.line, &path),
                "expected one value, found a list",
            )),
        };
        leaves.into_iter().map(pair).collect()
    }

    /// A variable that is not one of ours, such as `OTEL_SDK_DISABLED`; empty counts as absent.
    pub fn env(&self, variable: &str) -> Option<&str> {
        self.env
            .get(variable)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// What is wrong with a key that was taken, for checks that need more than one value.
    pub fn wrong(&self, key: &str, what: impl fmt::Display) -> Error {
        let place = if self.env.contains_key(&variable(key)) {
            self.variable_place(key)
        } else {
            format!("{}: {key}", self.file)
        };
        Error::config(place, what.to_string())
    }

    /// Everything that had to be taken was.
    ///
    /// # Errors
    ///
    /// When a key of the file was not taken by anybody; the message names the nearest that was.
    pub fn finish(self) -> Result<(), Error> {
        let Some((path, leaf)) = self.leaves.iter().min_by_key(|(_, leaf)| leaf.line) else {
            return Ok(());
        };
        let section = format!("{path}.");
        let what = if self.known.iter().any(|known| known.starts_with(&section)) {
            "expected a section with keys of its own, found a value".to_owned()
        } else {
            match cap_names::nearest(path, &self.known) {
                Some(nearest) => format!("unknown key; the nearest valid key is {nearest}"),
                None => "unknown key".to_owned(),
            }
        };
        Err(Error::config(self.place(leaf.line, path), what))
    }

    fn place(&self, line: u64, key: &str) -> String {
        format!("{}:{line}: {key}", self.file)
    }

    fn variable_place(&self, key: &str) -> String {
        format!("environment: {}", variable(key))
    }
}

/// Values may be secrets, so only the keys are shown.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("file", &self.file)
            .field("keys_left", &self.leaves.keys())
            .finish_non_exhaustive()
    }
}

/// The standard library says only that a number is no number; here is what to write. Other types speak for themselves, and
/// know whether the text may be repeated.
fn explained<T>(text: &str, error: &dyn fmt::Display) -> String {
    let wanted = match std::any::type_name::<T>()
        .rsplit("::")
        .next()
        .unwrap_or_default()
    {
        "bool" => "true or false",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number",
        "NonZero<u32>" | "NonZero<u64>" | "NonZero<usize>" => "a whole number, at least 1",
        "SocketAddr" => "an address and a port, such as 127.0.0.1:18181",
        _ => return error.to_string(),
    };
    format!("{text:?} cannot be used: write {wanted}")
}

fn variable(key: &str) -> String {
    format!("CERTAUTOPILOT_{}", key.to_uppercase().replace('.', "_"))
}

/// `name=value,name=value`, as in `OTEL_EXPORTER_OTLP_HEADERS`.
pub(crate) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            // The value may be a secret, so it is not repeated.
            let (name, value) = pair
                .split_once('=')
                .ok_or("expected name=value, separated by commas")?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}
