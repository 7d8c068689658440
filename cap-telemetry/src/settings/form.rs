//! The settings as a person enters them, and what is wrong with each.

use std::collections::BTreeMap;
use std::str::FromStr;

use cap_egress::{Host, Trust};
use cap_names::closed_enum;
use cap_syslog::{Config, Facility, Framing, Relay, Transport};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::telemetry::Telemetry;

/// HOSTNAME of RFC 5424, section 6.
const HOSTNAME_LIMIT: usize = 255;
/// APP-NAME of the same.
const APP_NAME_LIMIT: usize = 48;

closed_enum! {
    /// A field of the form.
    #[non_exhaustive]
    pub enum Field: "field" {
        /// Whether audit events are forwarded.
        Enabled = "enabled",
        /// The relay.
        Host = "host",
        /// Its port; empty for the transport's.
        Port = "port",
        /// `udp`, `tcp` or `tcp+tls`.
        Transport = "transport",
        /// `octet-counting` or `newline`; of no consequence over UDP.
        Framing = "framing",
        /// `local0` to `local7`, or a code.
        Facility = "facility",
        /// HOSTNAME; empty for the instance name.
        Hostname = "hostname",
        /// APP-NAME.
        AppName = "app_name",
        /// PEM of the authorities that may vouch for the relay.
        Ca = "ca",
    }
}

/// The settings as entered. What a host keeps of them is its JSON, an object of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Form(BTreeMap<String, String>);

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FieldError {
    /// Which.
    #[serde(serialize_with = "word")]
    pub field: Field,
    /// What, and what to do.
    pub message: String,
}

fn word<S: Serializer>(field: &Field, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(field.as_str())
}

impl Form {
    /// The settings in force, or those that were last, or the defaults.
    pub(super) fn in_force(telemetry: &Telemetry) -> Self {
        let config = telemetry.syslog_config();
        let known = config.is_some();
        let config = config.unwrap_or_else(|| defaults(telemetry));
        let ca = match &config.transport {
            Transport::Tls(_, tls) => tls.ca_pem.clone().unwrap_or_default(),
            _ => String::new(),
        };
        let framing = match config.transport.framing() {
            Some(Framing::Newline) => "newline",
            _ => "octet-counting",
        };
        let host = if known {
            config.relay.host.to_string()
        } else {
            String::new()
        };
        let port = if known {
            config.relay.port.to_string()
        } else {
            String::new()
        };
        // What is kept is every replica's, and each has a name of its own.
        let hostname = match config.hostname {
            name if name == telemetry.instance_name() => String::new(),
            name => name,
        };
        let enabled = telemetry.syslog().is_some().to_string();
        let fields = [
            (Field::Enabled, enabled),
            (Field::Host, host),
            (Field::Port, port),
            (Field::Transport, config.transport.as_str().to_owned()),
            (Field::Framing, framing.to_owned()),
            (Field::Facility, config.facility.to_string()),
            (Field::Hostname, hostname),
            (Field::AppName, config.app_name),
            (Field::Ca, ca),
        ];
        let texts = fields.map(|(field, text)| (field.as_str().to_owned(), text));
        Form(texts.into())
    }

    /// What a browser posts, without the token.
    pub(super) fn posted(pairs: Vec<(String, String)>) -> Result<Self, String> {
        let mut form = Form::default();
        for (name, text) in pairs {
            let field = Field::from_str(&name).map_err(|unknown| unknown.to_string())?;
            // A browser ends the lines of a text with CR LF, and a ticked box without a value is `on`.
            let text = match (field, text.as_str()) {
                (Field::Enabled, "on") => "true".to_owned(),
                _ => text.replace("\r\n", "\n"),
            };
            form.0.insert(name, text);
        }
        Ok(form)
    }

    /// A JSON object with texts, numbers and booleans; null says nothing.
    pub(super) fn from_json(object: Map<String, Value>) -> Result<Self, String> {
        let mut form = Form::default();
        for (name, value) in object {
            Field::from_str(&name).map_err(|unknown| unknown.to_string())?;
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text,
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(format!("{name}: expected one value"));
                }
            };
            form.0.insert(name, text);
        }
        Ok(form)
    }

    /// The same with the types of the configuration file.
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

    /// Brings settings into force that a host has kept, on its start.
    ///
    /// # Errors
    ///
    /// When one of them cannot work, or after a shutdown.
    pub fn restore(&self, telemetry: &Telemetry) -> Result<(), Error> {
        let config = self.config(telemetry).map_err(|wrong| {
            let first = wrong.into_iter().next();
            let first = first.map_or_else(String::new, |FieldError { field, message }| {
                format!("syslog.{field}: {message}")
            });
            Error::config("kept settings", first)
        })?;
        self.bring_into_force(telemetry, config)
    }

    /// Settings that are switched off are remembered all the same.
    pub(super) fn bring_into_force(
        &self,
        telemetry: &Telemetry,
        config: Option<Config>,
    ) -> Result<(), Error> {
        if self.is_enabled() {
            return telemetry.reconfigure_syslog(config);
        }
        telemetry.reconfigure_syslog(None)?;
        if let Some(config) = config {
            telemetry.remember_syslog(config);
        }
        Ok(())
    }

    /// What the fields come to, `None` where syslog is off and there is no relay; what is not among them stays as it is.
    pub(super) fn config(&self, telemetry: &Telemetry) -> Result<Option<Config>, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut refuse = |field, message: String| wrong.push(FieldError { field, message });
        let base = telemetry.syslog_config();
        let mut config = base.unwrap_or_else(|| defaults(telemetry));

        if !matches!(self.text(Field::Enabled), "true" | "false" | "") {
            refuse(Field::Enabled, "write true or false".to_owned());
        }
        let host = match self.text(Field::Host) {
            "" if self.is_enabled() => Err("write the relay's name or address".to_owned()),
            "" => Ok(None),
            text => match text.parse::<Host>() {
                Err(error) => Err(error.to_string()),
                Ok(host) => match telemetry.check_host(&host) {
                    Err(denial) => Err(format!(
                        "{denial}; use a relay that the egress policy allows, or exempt its address under egress.allow"
                    )),
                    Ok(()) => Ok(Some(host)),
                },
            },
        };
        let host = host.unwrap_or_else(|message| {
            refuse(Field::Host, message);
            None
        });
        let transport = self
            .transport()
            .parse::<Transport>()
            .unwrap_or_else(|error| {
                refuse(Field::Transport, error.to_string());
                Transport::default()
            });
        let framing = match self.text(Field::Framing) {
            "" => Ok(Framing::default()),
            text => text.parse::<Framing>(),
        };
        let framing = framing.unwrap_or_else(|error| {
            refuse(Field::Framing, error.to_string());
            Framing::default()
        });
        match self.text(Field::Port) {
            "" => config.relay.port = transport.default_port(),
            text => match text
                .parse::<u16>()
                .ok()
                .and_then(|port| port.try_into().ok())
            {
                Some(port) => config.relay.port = port,
                None => refuse(
                    Field::Port,
                    format!(
                        "{text:?} is no port: write a number from 1 to 65535, or nothing for {}",
                        transport.default_port()
                    ),
                ),
            },
        }
        match self.text(Field::Facility) {
            "" => config.facility = Facility::default(),
            text => match text.parse() {
                Ok(facility) => config.facility = facility,
                Err(error) => refuse(Field::Facility, error.to_string()),
            },
        }
        for (field, limit, default, setting) in [
            (
                Field::Hostname,
                HOSTNAME_LIMIT,
                telemetry.instance_name(),
                &mut config.hostname,
            ),
            (
                Field::AppName,
                APP_NAME_LIMIT,
                "certautopilot",
                &mut config.app_name,
            ),
        ] {
            let text = self.text(field);
            if text.len() > limit || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                refuse(
                    field,
                    format!(
                        "write at most {limit} printable ASCII characters without spaces (RFC 5424, 6.2)"
                    ),
                );
                continue;
            }
            *setting = if text.is_empty() { default } else { text }.to_owned();
        }
        let ca = Some(self.text(Field::Ca)).filter(|pem| !pem.is_empty());
        config.transport = match transport {
            Transport::Tls(..) => {
                if let Some(Err(error)) = ca.map(|pem| Trust::system_with_ca(pem.as_bytes())) {
                    refuse(Field::Ca, error.to_string());
                }
                // A client certificate is not among the fields.
                let mut tls = match config.transport {
                    Transport::Tls(_, tls) => tls,
                    _ => telemetry.syslog_tls().unwrap_or_default(),
                };
                tls.ca_pem = ca.map(str::to_owned);
                Transport::Tls(framing, tls)
            }
            Transport::Tcp(_) | Transport::Udp if ca.is_some() => {
                let message = "only tcp+tls uses it: choose that transport, or leave this empty";
                refuse(Field::Ca, message.to_owned());
                transport
            }
            Transport::Tcp(_) => Transport::Tcp(framing),
            other => other,
        };
        let Some(host) = host else {
            return if wrong.is_empty() {
                Ok(None)
            } else {
                Err(wrong)
            };
        };
        config.relay.host = host;
        // The size is not on the form, and may be too large for the transport that is.
        let size = config.max_message_size;
        if let Some(Err(error)) = size.map(|size| config.transport.message_size(size.get())) {
            wrong.push(FieldError {
                field: Field::Transport,
                message: format!("max_message_size: {error}"),
            });
        }
        if wrong.is_empty() {
            Ok(Some(config))
        } else {
            Err(wrong)
        }
    }
}

/// A relay that is nowhere: its place is always entered.
fn defaults(telemetry: &Telemetry) -> Config {
    let nowhere = Host::from(std::net::IpAddr::from([127, 0, 0, 1]));
    let port = Transport::default().default_port();
    let mut config = Config::new(Relay::new(nowhere, port));
    config.hostname = telemetry.instance_name().to_owned();
    config
}
