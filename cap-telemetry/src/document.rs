//! A configuration file with the environment over it, read key by key.

mod unknown;
mod variables;
mod yaml;

use std::any::type_name;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::interval::Interval;
use variables::{PREFIX, is_service_link, split};
use yaml::Value;

pub(crate) use variables::{pairs, variable};

/// One YAML file, overridden by the variables `CERTAUTOPILOT_*` of the environment.
///
/// Each part of a program takes the keys it needs, in any order. [`finish`](Self::finish) then
/// reports a key that no part took, with the nearest key that some part did take. A program's own
/// keys and those of [`Config`](crate::Config) so share one file.
///
/// The variable of a key is its path in capitals with `_` for `.`: `telemetry.tracing.sample_rate`
/// is `CERTAUTOPILOT_TELEMETRY_TRACING_SAMPLE_RATE`. An empty variable counts as absent.
pub struct Document {
    file: String,
    leaves: yaml::Leaves,
    env: BTreeMap<String, String>,
    /// Every key that was asked for, and its line in the file.
    taken: BTreeMap<String, Option<u64>>,
}

impl Document {
    /// Reads a file and the environment of the process.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not YAML or gives a key twice, or when a `CERTAUTOPILOT_*`
    /// variable is not UTF-8.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = path.as_ref().display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| Kind::Unreadable { file: file.clone(), source })?;
        let mut env = BTreeMap::new();
        #[expect(clippy::disallowed_methods, reason = "this is the loader")]
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(env.insert(name, value)),
                (Ok(name), Err(_)) if name.starts_with(PREFIX) => {
                    return Err(Error::environment(&name, "the value is not UTF-8"));
                }
                _ => {}
            }
        }
        Self::parse(file, &text, env)
    }

    /// Reads a text, which errors call `file`, and the given variables.
    ///
    /// # Errors
    ///
    /// When the text is not YAML or gives a key twice.
    pub fn parse(
        file: impl Into<String>,
        text: &str,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let file = file.into();
        Ok(Self {
            leaves: yaml::leaves(&file, text)?,
            file,
            // Many deployments write an empty variable for "not set".
            env: env.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
            taken: BTreeMap::new(),
        })
    }

    /// Takes a value: from the environment, else from the file, else `None`.
    ///
    /// # Errors
    ///
    /// When the value does not parse. The message names its place, and says why in the words of
    /// `T::Err`.
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

    /// Takes an [`Interval`].
    pub(crate) fn take_duration(&mut self, key: &str) -> Result<Option<Duration>, Error> {
        Ok(self.take::<Interval>(key)?.map(Duration::from))
    }

    /// Sets a setting to a value that was taken, if the setting's type accepts it.
    pub(crate) fn set<T, S: TryFrom<T>>(
        &self,
        key: &str,
        value: Option<T>,
        setting: &mut S,
    ) -> Result<(), Error>
    where
        S::Error: fmt::Display,
    {
        if let Some(value) = value {
            *setting = S::try_from(value).map_err(|error| self.error_at(key, error))?;
        }
        Ok(())
    }

    /// Takes a list: from the environment, where commas separate it, else from the file, else
    /// empty.
    ///
    /// # Errors
    ///
    /// When an element does not parse, or the file has one value in place of a list.
    pub fn take_list<T: FromStr>(&mut self, key: &str) -> Result<Vec<T>, Error>
    where
        T::Err: fmt::Display,
    {
        Ok(self.take_list_if_any(key)?.unwrap_or_default())
    }

    /// As [`take_list`](Self::take_list), where an empty list differs from none.
    pub(crate) fn take_list_if_any<T: FromStr>(
        &mut self,
        key: &str,
    ) -> Result<Option<Vec<T>>, Error>
    where
        T::Err: fmt::Display,
    {
        let texts = match self.find(key) {
            None => return Ok(None),
            Some(Value::Scalar(text)) if self.is_overridden(key) => {
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

    /// Takes a section of names with one value each: from the environment, as `name=value`
    /// separated by commas, else from the file, else empty.
    ///
    /// # Errors
    ///
    /// When a name has no value or more than one.
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
            Some(Value::Scalar(text)) if self.is_overridden(key) => {
                pairs(&text).map_err(|error| self.error_at(key, error))
            }
            Some(_) => Err(self.error_at(key, "expected a section of names with a value each")),
        }
    }

    /// The keys taken so far, in alphabetical order.
    pub fn taken_keys(&self) -> impl Iterator<Item = &str> {
        self.taken.keys().map(String::as_str)
    }

    /// A variable whose name is not made of a key, such as `OTEL_SDK_DISABLED`. An empty one counts
    /// as absent.
    pub fn env(&self, variable: &str) -> Option<&str> {
        self.env.get(variable).map(String::as_str)
    }

    /// An error in the value of a key that was taken, for checks that need more than one value. The
    /// message starts with the place of the value: the file with its line, or the variable.
    pub fn error_at(&self, key: &str, what: impl fmt::Display) -> Error {
        if self.is_overridden(key) {
            return Error::environment(&variable(key), what);
        }
        match self.taken.get(key) {
            Some(Some(line)) => Error::config(format!("{}:{line}: {key}", self.file), what),
            _ => Error::config(format!("{}: {key}", self.file), what),
        }
    }

    /// The value of a key: the variable as a scalar, else the file's value.
    fn find(&mut self, key: &str) -> Option<Value> {
        let leaf = self.leaves.remove(key);
        let line = leaf.as_ref().map(|leaf| leaf.line);
        self.taken.insert(key.to_owned(), line);
        if self.is_overridden(key) {
            return self.env.get(&variable(key)).cloned().map(Value::Scalar);
        }
        leaf.map(|leaf| leaf.value).filter(|value| !matches!(value, Value::Nothing))
    }

    fn is_overridden(&self, key: &str) -> bool {
        let name = variable(key);
        self.env.get(&name).is_some_and(|value| !is_service_link(&name, value))
    }
}

/// Shows the keys alone: values may be secrets.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("file", &self.file)
            .field("keys_left", &self.leaves.keys())
            .finish_non_exhaustive()
    }
}

/// The standard library's errors do not say what to write. Other types do, and know whether the
/// text may be repeated.
fn explained<T>(text: &str, error: &dyn fmt::Display) -> String {
    let name = type_name::<T>().rsplit("::").next().unwrap_or_default();
    let wanted = match name {
        "bool" => "true or false",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number",
        "NonZero<u32>" | "NonZero<u64>" | "NonZero<usize>" => "a whole number, at least 1",
        "SocketAddr" => "an address and a port, such as 127.0.0.1:18181",
        _ => return error.to_string(),
    };
    format!("{text:?} cannot be used: write {wanted}")
}
