//! The record that a reader must find for a case, by the documented rules.

use cap_names::Severity;
use cap_syslog::Format;
use chrono::{DateTime, SecondsFormat, Timelike as _, Utc};

use super::{Case, PRODUCT_VERSION};

/// The mark at the end of a shortened text.
pub(super) const MARK: &str = "...[cut]";

/// A name and a value that the record must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Parameter or extension key.
    pub name: String,
    /// Its text.
    pub value: String,
    /// Whether it may be left out of a record that would be too long.
    pub optional: bool,
}

/// The fields of a record. A header field that is the NILVALUE is `None`.
#[derive(Clone, Debug)]
pub struct Expected {
    /// PRI's two halves.
    pub facility: u8,
    /// PRI's two halves.
    pub severity: u8,
    /// UTC, with three fraction digits.
    pub timestamp: String,
    /// HOSTNAME.
    pub hostname: Option<String>,
    /// APP-NAME.
    pub app_name: Option<String>,
    /// PROCID.
    pub procid: Option<String>,
    /// SD-ID; none for CEF, which has no structured data.
    pub sd_id: Option<String>,
    /// Vendor, product, class, name and severity of CEF.
    pub cef: Option<[String; 5]>,
    /// Parameters or extensions, in order.
    pub fields: Vec<Field>,
    /// The summary.
    pub text: String,
    /// Bytes of the record at most.
    pub max: usize,
    /// The whole record, were there no limit.
    pub rendered: String,
}

impl Case {
    /// The record that a reader must find.
    pub fn expected(&self) -> Expected {
        let settings = &self.settings;
        let name = |value: &str, limit| {
            let graphic = |c: char| if c.is_ascii_graphic() { c } else { '_' };
            let text: String = value.chars().map(graphic).take(limit).collect();
            if text.is_empty() { "-".to_owned() } else { text }
        };
        let header = |text: &str| (text != "-").then(|| text.to_owned());
        let (hostname, app_name, procid) = (
            // syslog-ng reads neither in it, so they are not sent.
            name(&settings.hostname, 255).replace([':', '['], "_"),
            name(&settings.app_name, 48),
            name(&settings.procid, 128),
        );
        let cef = settings.format == Format::Cef;
        let mut expected = Expected {
            facility: settings.facility,
            severity: self.severity.code(),
            timestamp: timestamp(self.time),
            hostname: header(&hostname),
            app_name: header(&app_name),
            procid: header(&procid),
            sd_id: (!cef).then(|| settings.sd_id.clone()),
            cef: None,
            fields: Vec::new(),
            text: String::new(),
            max: settings.max.max(2048),
            rendered: String::new(),
        };
        let pri = expected.facility * 8 + expected.severity;
        expected.rendered =
            format!("<{pri}>1 {} {hostname} {app_name} {procid} - ", expected.timestamp);
        let summary = self.summary.trim_start_matches('\u{feff}');
        if cef {
            self.expect_cef(&mut expected, summary);
        } else {
            self.expect_structured_data(&mut expected, summary);
        }
        expected
    }

    fn expect_structured_data(&self, expected: &mut Expected, summary: &str) {
        let (kind, actor) = &self.actor;
        expected.field("event_id", fixed(&self.id));
        expected.field("event_type", fixed(&self.event_type));
        expected.option("org_id", self.org.as_deref().map(visible));
        expected.option("project_id", self.project.as_deref().map(visible));
        expected.field("actor", fixed(&format!("{kind}:{actor}")));
        expected.option("resource", self.resource.as_deref().map(visible));
        for (name, value) in self.params() {
            expected.option(&name, Some(visible(value)));
        }
        expected.text = visible(summary);
        let params: String = (expected.fields.iter())
            .map(|field| format!(" {}=\"{}\"", field.name, quoted(&field.value, "\"\\]")))
            .collect();
        expected.rendered += &format!("[{}{params}]", self.settings.sd_id);
        if !expected.text.is_empty() {
            expected.rendered += &format!(" {}", expected.text);
        }
    }

    fn expect_cef(&self, expected: &mut Expected, summary: &str) {
        let event_type = fixed(&self.event_type);
        let severity = match self.severity {
            Severity::Critical => "10",
            Severity::Error => "8",
            Severity::Warn => "5",
            Severity::Info => "2",
            Severity::Debug => "0",
        };
        let (name, name_is_whole) = match summary {
            "" => (event_type.clone(), true),
            summary => name(&visible(summary)),
        };
        let header =
            ["CloudNativeWorks", "CertAutoPilot", &event_type, &name, severity].map(str::to_owned);
        let [vendor, product, class, name, severity] = header.each_ref().map(|f| quoted(f, "|\\"));
        expected.rendered +=
            &format!("- CEF:0|{vendor}|{product}|{PRODUCT_VERSION}|{class}|{name}|{severity}|");
        expected.cef = Some(header);

        let rt = time(self.time).timestamp_millis();
        expected.field("rt", rt.to_string());
        expected.field("externalId", fixed(&self.id));
        let actor = fixed(&format!("{}:{}", self.actor.0, self.actor.1));
        let (kind, actor) = actor.split_once(':').expect("it was put there");
        expected.field("duser", actor.to_owned());
        expected.field("cs4Label", "ActorType".to_owned());
        expected.field("cs4", kind.to_owned());
        for (number, label, value) in [
            (5, "Organization", &self.org),
            (1, "Project", &self.project),
            (6, "Resource", &self.resource),
        ] {
            if let Some(value) = value {
                expected.option(&format!("cs{number}Label"), Some(label.to_owned()));
                expected.option(&format!("cs{number}"), Some(with_lines(value)));
            }
        }
        for (name, value) in self.params() {
            let (label, key) = match name.as_str() {
                "common_name" => (Some("CN"), "cs2".to_owned()),
                "issuer" => (Some("Issuer"), "cs3".to_owned()),
                _ => (None, format!("cap_{name}")),
            };
            expected.option(&format!("{key}Label"), label.map(str::to_owned));
            expected.option(&key, Some(with_lines(value)));
        }
        if !name_is_whole {
            expected.text = with_lines(summary);
        }
        let mut extensions: Vec<_> = (expected.fields.iter())
            .map(|field| format!("{}={}", field.name, extension(&field.value)))
            .collect();
        if !expected.text.is_empty() {
            extensions.push(format!("msg={}", extension(&expected.text)));
        }
        expected.rendered += &extensions.join(" ");
    }

    /// By the name that is sent: a later value replaces an earlier one in its place.
    fn params(&self) -> Vec<(String, &str)> {
        let mut params: Vec<(String, &str)> = Vec::new();
        for (given, value) in &self.params {
            let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            let mut name: String = given.chars().map(word).take(32).collect();
            if name.is_empty() {
                name.push('_');
            }
            let own = ["event_id", "event_type", "org_id", "project_id", "actor", "resource"];
            if own.contains(&name.as_str()) {
                name = format!("x_{name}");
            }
            match params.iter_mut().find(|(known, _)| *known == name) {
                Some((_, old)) => *old = value,
                None => params.push((name, value)),
            }
        }
        params
    }
}

impl Expected {
    fn field(&mut self, name: &str, value: String) {
        self.fields.push(Field { name: name.to_owned(), value, optional: false });
    }

    fn option(&mut self, name: &str, value: Option<String>) {
        self.fields.extend(value.map(|value| Field {
            name: name.to_owned(),
            value,
            optional: true,
        }));
    }
}

/// A text as the Name of CEF, of which at most 256 bytes are written, and whether it is whole.
fn name(text: &str) -> (String, bool) {
    if quoted(text, "|\\").len() <= 256 {
        return (text.to_owned(), true);
    }
    let mut length = 0;
    let fits = |c: &char| {
        length += quoted(&c.to_string(), "|\\").len();
        length <= 256 - MARK.len()
    };
    let start: String = text.chars().take_while(fits).collect();
    (start + MARK, false)
}

/// Control characters as `#` and three octal digits.
fn visible(value: &str) -> String {
    shown(value, "")
}

/// The same, except those that the reader of a CEF extension gets back.
fn with_lines(value: &str) -> String {
    shown(value, "\r\n")
}

fn shown(value: &str, except: &str) -> String {
    let mut shown = String::new();
    for c in value.chars() {
        if c.is_ascii_control() && !except.contains(c) {
            shown += &format!("#{:03o}", c as u32);
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The part that is always sent: at most 128 bytes.
fn fixed(value: &str) -> String {
    let value = visible(value);
    if value.len() <= 128 {
        return value;
    }
    let mut end = 120;
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{MARK}", &value[..end])
}

fn quoted(value: &str, special: &str) -> String {
    let mut quoted = String::new();
    for c in value.chars() {
        if special.contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

fn extension(value: &str) -> String {
    quoted(value, "=\\").replace('\n', "\\n").replace('\r', "\\r")
}

/// The nearest time whose year has four digits.
fn time(time: DateTime<Utc>) -> DateTime<Utc> {
    let of = |text: &str| -> DateTime<Utc> { text.parse().expect("a time") };
    time.clamp(of("0000-01-01T00:00:00Z"), of("9999-12-31T23:59:59.999Z"))
}

fn timestamp(given: DateTime<Utc>) -> String {
    let time = time(given);
    // A leap second has no TIMESTAMP of its own.
    let time = match time.nanosecond() {
        1_000_000_000.. => time.with_nanosecond(999_999_999).expect("in its second"),
        _ => time,
    };
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
