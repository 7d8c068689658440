//! The fields of a span or event of `tracing`, as attributes.

use std::error::Error;
use std::fmt;

use opentelemetry::trace::SpanKind;
use opentelemetry::{Key, KeyValue, Value};
use tracing::Level;
use tracing::field::{Field, Visit};

#[derive(Default)]
pub(super) struct Fields {
    pub(super) attributes: Vec<KeyValue>,
    pub(super) message: Option<String>,
    /// The error that `#[instrument(err)]` records.
    pub(super) error: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: Option<SpanKind>,
}

impl Fields {
    pub(super) fn with_room_for(fields: usize) -> Self {
        Self { attributes: Vec::with_capacity(fields), ..Self::default() }
    }

    /// Adds the level and target of an event.
    pub(super) fn describe(&mut self, level: Level, target: &str) {
        self.add("level", level.as_str());
        self.add("target", target.to_owned());
    }

    fn add(&mut self, key: &'static str, value: impl Into<Value>) {
        self.attributes.push(KeyValue::new(Key::from_static_str(key), value));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = Some(value.to_owned()),
            "otel.name" => self.name = Some(value.to_owned()),
            "otel.kind" => self.kind = kind(value),
            name => {
                if name == "error" {
                    self.error = Some(value.to_owned());
                }
                self.add(name, value.to_owned());
            }
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.add(field.name(), value),
            // OTLP has no larger integers.
            Err(_) => self.add(field.name(), value.to_string()),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_str(field, &value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

fn kind(name: &str) -> Option<SpanKind> {
    let kinds = [
        ("server", SpanKind::Server),
        ("client", SpanKind::Client),
        ("producer", SpanKind::Producer),
        ("consumer", SpanKind::Consumer),
        ("internal", SpanKind::Internal),
    ];
    let mut kinds = kinds.into_iter();
    Some(kinds.find(|(known, _)| name.eq_ignore_ascii_case(known))?.1)
}
