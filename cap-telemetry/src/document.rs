//! A configuration file with the environment over it, read key by key.

mod yaml;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::error::{Error, Kind};
use yaml::Value;

/// One YAML file, overridden by `CERTAUTOPILOT_*` in the environment.
///
/// Whoever needs a key takes it, in whatever order; a key that nobody takes is a mistake, which [`finish`](Document::finish)
/// reports with the nearest key that somebody did take. So a program's own keys and those of
/// [`Config`](crate::Config) live in one file.
///
/// The variable of a key is its path in capitals with `_` for `.`: `telemetry.tracing.sample_rate` is
/// `CERTAUTOPILOT_TELEMETRY_TRACING_SAMPLE_RATE`. An empty variable counts as absent.
pub struct Document {
    file: String,
    leaves: yaml::Leaves,
    env: BTreeMap<String, String>,
    /// Every key that somebody asked for, and the line it stood on.
    known: BTreeMap<String, Option<u64>>,
}

impl Document {
    /// Reads a file and the environment of the process.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not YAML, or gives a key twice, or a variable of ours is not UTF-8.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = path.as_ref().display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| Kind::Unreadable {
            file: file.clone(),
            source,
        })?;
        let mut env = BTreeMap::new();
        #[expect(clippy::disallowed_methods, reason = "this is the loader")]
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(env.insert(name, value)),
                (Ok(name), Err(_)) if name.starts_with(PREFIX) => {
                    return Err(Error::config(
                        format!("environment: {name}"),
                        "is not UTF-8",
                    ));
                }
                _ => {}
            }
        }
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
            // An empty variable is how many a deployment says "not set".
            env: env
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
            known: BTreeMap::new(),
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
        let text = match self.find(key) {
            None => return Ok(None),
            Some(Value::Scalar(text)) => text,
            Some(_) => return Err(self.error_at(key, "expected one value, found a list")),
        };
        text.parse()
            .map(Some)
            .map_err(|error: T::Err| self.error_at(key, explained::<T>(&text, &error)))
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
        Ok(self.take_list_if_any(key)?.unwrap_or_default())
    }

    /// The same where an empty list says something else than none.
    pub(crate) fn take_list_if_any<T: FromStr>(
        &mut self,
        key: &str,
    ) -> Result<Option<Vec<T>>, Error>
    where
        T::Err: fmt::Display,
    {
        let texts = match self.find(key) {
            None => return Ok(None),
            Some(Value::Scalar(text)) if self.overridden(key) => {
                split(&text).map(str::to_owned).collect()
            }
            Some(Value::List(texts)) => texts,
            Some(_) => return Err(self.error_at(key, "expected a list, found one value")),
        };
        let parsed = texts.iter().map(|text| {
            let wrong = |error: T::Err| self.error_at(key, format!("{text:?}: {error}"));
            text.parse().map_err(wrong)
        });
        parsed.collect::<Result<_, _>>().map(Some)
    }

    /// Takes every key below `key` with its value: from the environment, as `name=value` separated by commas, else from the
    /// file, else empty.
    ///
    /// # Errors
    ///
    /// When something else than names with one value each stands there.
    pub fn take_map(&mut self, key: &str) -> Result<Vec<(String, String)>, Error> {
        let whole = self.find(key);
        let prefix = format!("{key}.");
        let below = self.leaves.keys().filter(|leaf| leaf.starts_with(&prefix));
        let below: Vec<_> = below.cloned().collect();
        let mut entries = Vec::new();
        for path in below {
            let name = path[prefix.len()..].to_owned();
            match self.find(&path) {
                Some(Value::Scalar(text)) => entries.push((name, text)),
                Some(_) => return Err(self.error_at(&path, "expected one value, found a list")),
                None => {}
            }
        }
        match whole {
            None => Ok(entries),
            Some(Value::Scalar(text)) if self.overridden(key) => {
                pairs(&text).map_err(|what| self.error_at(key, what))
            }
            Some(_) => Err(self.error_at(key, "expected a section of names with a value each")),
        }
    }

    /// The keys that were taken so far.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }

    /// A variable that is not one of ours, such as `OTEL_SDK_DISABLED`; empty counts as absent.
    pub fn env(&self, variable: &str) -> Option<&str> {
        self.env.get(variable).map(String::as_str)
    }

    /// What is wrong with a key that was taken, for checks that need more than one value.
    pub fn error_at(&self, key: &str, what: impl fmt::Display) -> Error {
        let place = match self.known.get(key) {
            _ if self.overridden(key) => format!("environment: {}", variable(key)),
            Some(Some(line)) => format!("{}:{line}: {key}", self.file),
            _ => format!("{}: {key}", self.file),
        };
        Error::config(place, what.to_string())
    }

    /// Everything that had to be taken was.
    ///
    /// # Errors
    ///
    /// When a key of the file, or a variable for one of the sections of [`Config`](crate::Config), was not taken by anybody; the
    /// message names the nearest that was.
    pub fn finish(self) -> Result<(), Error> {
        self.all_taken(|_| true)
    }

    /// The same for the sections of [`Config`](crate::Config) alone, and for what looks like one of them misspelt, by a tool that does
    /// not know what else a program takes.
    ///
    /// # Errors
    ///
    /// When a key or variable there was not taken by anybody.
    pub fn finish_sections(self) -> Result<(), Error> {
        let known: Vec<_> = self.known.keys().cloned().collect();
        self.all_taken(|path| {
            let section = path.split('.').next().unwrap_or_default();
            let ours = sections();
            // One that nearly has our name, and keys like ours in it, is meant to be ours.
            ours.contains(&section.to_owned())
                || cap_names::nearest(section, known.iter().chain(&ours)).is_some()
                    && (path == section || cap_names::nearest(path, &known).is_some())
        })
    }

    fn all_taken(self, judged: impl Fn(&str) -> bool) -> Result<(), Error> {
        let section = |path: &str| {
            let below = format!("{path}.");
            self.known.keys().any(|known| known.starts_with(&below))
        };
        let unknown = self.leaves.iter().filter(|(path, leaf)| {
            judged(path) && !(matches!(leaf.value, Value::Nothing) && section(path))
        });
        if let Some((path, leaf)) = unknown.min_by_key(|(_, leaf)| leaf.line) {
            let what = if section(path) {
                "expected a section with keys of its own, found a value".to_owned()
            } else {
                unknown_key("key", path, self.known.keys().cloned().chain(sections()))
            };
            return Err(Error::config(
                format!("{}:{}: {path}", self.file, leaf.line),
                what,
            ));
        }

        let ours = |name: &str| {
            SECTIONS.iter().any(|section| {
                name.strip_prefix(PREFIX)
                    .is_some_and(|rest| rest.starts_with(section))
            })
        };
        let known: Vec<_> = self.known.keys().map(|key| variable(key)).collect();
        let mut unknown = self.env.iter().filter(|(name, value)| {
            ours(name) && !known.contains(name) && !service_link(name, value)
        });
        match unknown.next() {
            None => Ok(()),
            Some((name, _)) => Err(Error::config(
                format!("environment: {name}"),
                unknown_key("variable", name, known.clone()),
            )),
        }
    }

    /// Takes what stands for a key: the variable as a scalar, else the file's value.
    fn find(&mut self, key: &str) -> Option<Value> {
        let leaf = self.leaves.remove(key);
        self.known
            .insert(key.to_owned(), leaf.as_ref().map(|leaf| leaf.line));
        if self.overridden(key) {
            return self.env.get(&variable(key)).cloned().map(Value::Scalar);
        }
        leaf.map(|leaf| leaf.value)
            .filter(|value| !matches!(value, Value::Nothing))
    }

    fn overridden(&self, key: &str) -> bool {
        let name = variable(key);
        self.env
            .get(&name)
            .is_some_and(|value| !service_link(&name, value))
    }
}

const PREFIX: &str = "CERTAUTOPILOT_";

/// Where a variable that nobody takes is a mistake: other variables with our prefix are the product's own.
const SECTIONS: [&str; 3] = ["TELEMETRY_", "SYSLOG_", "EGRESS_"];

/// The same as the file spells them.
fn sections() -> [String; 3] {
    SECTIONS.map(|section| section.trim_end_matches('_').to_lowercase())
}

/// Kubernetes sets such variables for every Service in the namespace; one called `certautopilot-syslog` gives
/// `CERTAUTOPILOT_SYSLOG_PORT=tcp://10.0.0.1:601`.
fn service_link(name: &str, value: &str) -> bool {
    let address = |value: &str| value.starts_with("tcp://") || value.starts_with("udp://");
    name.contains("_SERVICE_")
        || name.contains("_PORT_")
        || name.ends_with("_PORT") && address(value)
}

fn unknown_key(what: &str, word: &str, known: impl IntoIterator<Item = String>) -> String {
    match cap_names::nearest(word, known) {
        Some(nearest) => format!("unknown {what}; the nearest valid {what} is {nearest}"),
        None => format!("unknown {what}"),
    }
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
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

pub(crate) fn variable(key: &str) -> String {
    format!("CERTAUTOPILOT_{}", key.to_uppercase().replace('.', "_"))
}

/// `name=value,name=value`.
pub(crate) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let pair = |pair: &str| {
        // The value may be a secret, so it is not repeated.
        let (name, value) = pair
            .split_once('=')
            .ok_or("expected name=value, separated by commas")?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    split(text).map(pair).collect()
}
