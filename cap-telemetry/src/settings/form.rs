//! The settings as an administrator enters them: texts by field, not yet checked.

use std::collections::BTreeMap;
use std::str::FromStr;

use cap_names::UnknownValue;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::field::Field;

/// The settings as entered. Their JSON, an object of texts, is what an application persists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Form(BTreeMap<String, String>);

/// The request is not a form of this kind.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormError {
    #[error(transparent)]
    UnknownField(#[from] UnknownValue),
    #[error("{0}: expected one value")]
    NotOneValue(String),
}

impl Form {
    pub(super) fn new(fields: impl IntoIterator<Item = (Field, String)>) -> Self {
        let fields = fields.into_iter();
        Self(fields.map(|(field, text)| (field.as_str().to_owned(), text)).collect())
    }

    /// The fields that a browser posts, without the token.
    pub(super) fn from_pairs(pairs: Vec<(String, String)>) -> Result<Self, FormError> {
        let mut form = Self::default();
        for (name, text) in pairs {
            // A browser ends the lines of a text with CR LF, and a checked box without a value is
            // `on`.
            let text = match (Field::from_str(&name)?, text.as_str()) {
                (Field::Enabled, "on") => "true".to_owned(),
                _ => text.replace("\r\n", "\n"),
            };
            form.0.insert(name, text);
        }
        Ok(form)
    }

    /// The fields of a JSON object of texts, numbers and booleans. A null counts as absent.
    pub(super) fn from_json(object: Map<String, Value>) -> Result<Self, FormError> {
        let mut form = Self::default();
        for (name, value) in object {
            Field::from_str(&name)?;
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text,
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => return Err(FormError::NotOneValue(name)),
            };
            form.0.insert(name, text);
        }
        Ok(form)
    }

    /// A JSON object with the types of the configuration file.
    pub(super) fn to_json(&self) -> Value {
        let typed = self.0.iter().map(|(name, text)| {
            let value = match name.as_str() {
                "enabled" => Value::Bool(text == "true"),
                "port" => text.parse::<u16>().map_or(Value::Null, Value::from),
                _ => Value::from(text.as_str()),
            };
            (name.clone(), value)
        });
        Value::Object(typed.collect())
    }

    pub(super) fn text(&self, field: Field) -> &str {
        self.0.get(field.as_str()).map_or("", |text| text.trim())
    }

    /// Whether audit events are forwarded.
    pub fn is_enabled(&self) -> bool {
        self.text(Field::Enabled) == "true"
    }

    /// `host:port`, as entered.
    pub(super) fn relay(&self) -> String {
        match self.text(Field::Port) {
            "" => self.text(Field::Host).to_owned(),
            port => format!("{}:{port}", self.text(Field::Host)),
        }
    }

    pub(super) fn transport(&self) -> &str {
        match self.text(Field::Transport) {
            "" => "tcp",
            word => word,
        }
    }
}
