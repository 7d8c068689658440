//! Keys and variables that no part of the program took, each with the nearest name that is valid.

use super::Document;
use super::variables::{SECTIONS, is_ours, is_service_link, variable};
use super::yaml::Value;
use crate::error::Error;

impl Document {
    /// Reports the first key or variable that was not taken.
    ///
    /// # Errors
    ///
    /// When the file has a key that was not taken, or the environment has such a variable of a
    /// section of [`Config`](crate::Config). The message names the nearest key or variable that was
    /// taken.
    pub fn finish(self) -> Result<(), Error> {
        self.finish_where(|_| true)
    }

    /// As [`finish`](Self::finish), for the sections of [`Config`](crate::Config) and those that
    /// look like one of them misspelled. It is for a tool that does not know a program's own keys.
    ///
    /// # Errors
    ///
    /// When a key or variable of these sections was not taken.
    pub fn finish_sections(self) -> Result<(), Error> {
        let known: Vec<_> = self.taken_keys().chain(SECTIONS).collect();
        self.finish_where(|path| {
            let section = path.split('.').next().unwrap_or_default();
            // A section whose name and whose keys both resemble ours is ours, misspelled.
            SECTIONS.contains(&section)
                || cap_names::nearest(section, &known).is_some()
                    && (path == section || cap_names::nearest(path, self.taken_keys()).is_some())
        })
    }

    fn finish_where(&self, is_checked: impl Fn(&str) -> bool) -> Result<(), Error> {
        let is_section = |path: &str| {
            let below = format!("{path}.");
            self.taken_keys().any(|key| key.starts_with(&below))
        };
        let unknown = self.leaves.iter().filter(|(path, leaf)| {
            is_checked(path) && !(matches!(leaf.value, Value::Nothing) && is_section(path))
        });
        if let Some((path, leaf)) = unknown.min_by_key(|(_, leaf)| leaf.line) {
            let what = if is_section(path) {
                "expected a section with keys of its own, found a value".to_owned()
            } else {
                unknown_name("key", path, self.taken_keys().chain(SECTIONS))
            };
            let place = format!("{}:{}: {path}", self.file, leaf.line);
            return Err(Error::config(place, what));
        }

        let known: Vec<_> = self.taken_keys().map(variable).collect();
        let unknown = self.env.iter().find(|(name, value)| {
            is_ours(name) && !known.contains(name) && !is_service_link(name, value)
        });
        match unknown {
            None => Ok(()),
            Some((name, _)) => {
                Err(Error::environment(name, unknown_name("variable", name, &known)))
            }
        }
    }
}

fn unknown_name<S: AsRef<str>>(
    what: &str,
    word: &str,
    known: impl IntoIterator<Item = S>,
) -> String {
    match cap_names::nearest(word, known) {
        Some(nearest) => {
            format!("unknown {what}; the nearest valid {what} is {}", nearest.as_ref())
        }
        None => format!("unknown {what}"),
    }
}
