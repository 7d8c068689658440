//! A form and the settings of the forwarder: one made of the other, each field checked.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use cap_egress::{Host, Trust};
use cap_syslog::{Config, Framing, Port, Relay, Transport};

use super::field::{Field, FieldError};
use super::form::Form;
use crate::error::Error;
use crate::telemetry::Telemetry;

/// HOSTNAME of RFC 5424, section 6.
const HOSTNAME_LIMIT: usize = 255;
/// APP-NAME of RFC 5424, section 6.
const APP_NAME_LIMIT: usize = 48;
const DEFAULT_APP_NAME: &str = "certautopilot";

impl Form {
    /// The settings in force, else the last ones, else the defaults.
    pub(super) fn in_force(telemetry: &Telemetry) -> Self {
        let known = telemetry.syslog_config();
        let (host, port) = known.as_ref().map_or_else(Default::default, |config| {
            let Relay { host, port, .. } = &config.relay;
            (host.to_string(), port.to_string())
        });
        let config = known.unwrap_or_else(|| defaults(telemetry));
        let ca = match &config.transport {
            Transport::Tls(_, tls) => tls.ca_pem.clone().unwrap_or_default(),
            _ => String::new(),
        };
        let framing = match config.transport.framing() {
            Some(Framing::Newline) => "newline",
            _ => "octet-counting",
        };
        // All replicas get what is persisted, and each keeps its own name.
        let hostname = match config.hostname {
            name if name == telemetry.instance_name() => String::new(),
            name => name,
        };
        Self::new([
            (Field::Enabled, telemetry.syslog().is_some().to_string()),
            (Field::Host, host),
            (Field::Port, port),
            (Field::Transport, config.transport.as_str().to_owned()),
            (Field::Framing, framing.to_owned()),
            (Field::Facility, config.facility.to_string()),
            (Field::Hostname, hostname),
            (Field::AppName, config.app_name),
            (Field::Ca, ca),
        ])
    }

    /// Applies persisted settings, at the start of an application. It may block for two seconds, as
    /// [`Telemetry::reconfigure_syslog`] does.
    ///
    /// # Errors
    ///
    /// When a field is not valid, or after a shutdown. The settings before the call then stay in
    /// force.
    pub fn restore(&self, telemetry: &Telemetry) -> Result<(), Error> {
        let config = self.config(telemetry).map_err(|errors| {
            let first = errors.first().map(ToString::to_string);
            Error::config("persisted settings", format!("syslog.{}", first.unwrap_or_default()))
        })?;
        self.apply(telemetry, config)
    }

    /// Settings that are switched off are remembered, so that the page shows them again.
    pub(super) fn apply(&self, telemetry: &Telemetry, config: Option<Config>) -> Result<(), Error> {
        if self.is_enabled() {
            return telemetry.reconfigure_syslog(config);
        }
        telemetry.reconfigure_syslog(None)?;
        if let Some(config) = config {
            telemetry.remember_syslog(config);
        }
        Ok(())
    }

    /// The settings of the forwarder. Those without a field keep their values. `None`: syslog is
    /// off and there is no relay.
    pub(super) fn config(&self, telemetry: &Telemetry) -> Result<Option<Config>, Vec<FieldError>> {
        let mut errors = Errors::default();
        let known = telemetry.syslog_config();
        let mut config = known.unwrap_or_else(|| defaults(telemetry));

        if !matches!(self.text(Field::Enabled), "true" | "false" | "") {
            errors.add(Field::Enabled, "write true or false");
        }
        let host = errors.valid(Field::Host, self.host(telemetry)).flatten();
        let transport = self.transport().parse::<Transport>();
        let transport = errors.valid(Field::Transport, transport).unwrap_or_default();
        let port = errors.valid(Field::Port, self.port(&transport));
        config.relay.port = port.unwrap_or(config.relay.port);
        let framing = errors.valid(Field::Framing, self.parsed(Field::Framing));
        let framing = framing.unwrap_or_default();
        let facility = errors.valid(Field::Facility, self.parsed(Field::Facility));
        config.facility = facility.unwrap_or_default();
        let hostname = self.header(Field::Hostname, HOSTNAME_LIMIT, telemetry.instance_name());
        config.hostname = errors.valid(Field::Hostname, hostname).unwrap_or_default();
        let app_name = self.header(Field::AppName, APP_NAME_LIMIT, DEFAULT_APP_NAME);
        config.app_name = errors.valid(Field::AppName, app_name).unwrap_or_default();

        let ca = Some(self.text(Field::Ca)).filter(|pem| !pem.is_empty());
        if let (Some(pem), Transport::Tls(..)) = (ca, &transport) {
            errors.valid(Field::Ca, Trust::system_with_ca(pem.as_bytes()));
        } else if ca.is_some() {
            errors
                .add(Field::Ca, "only tcp+tls uses it: choose that transport, or leave this empty");
        }
        config.transport = match transport {
            Transport::Tls(..) => {
                // The form has no field for a client certificate, which so stays as it was.
                let mut tls = match config.transport {
                    Transport::Tls(_, tls) => tls,
                    _ => telemetry.syslog_tls().unwrap_or_default(),
                };
                tls.ca_pem = ca.map(str::to_owned);
                Transport::Tls(framing, tls)
            }
            Transport::Tcp(_) => Transport::Tcp(framing),
            other => other,
        };
        // The form has no field for the size, which may be too large for the chosen transport.
        // Without a host no configuration comes of the form.
        let size = config.max_message_size.filter(|_| host.is_some());
        if let Some(Err(error)) = size.map(|size| config.transport.message_size(size.get())) {
            errors.add(Field::Transport, format!("max_message_size: {error}"));
        }
        if !errors.0.is_empty() {
            return Err(errors.0);
        }
        Ok(host.map(|host| {
            config.relay.host = host;
            config
        }))
    }

    /// `None`: no host is given, and none is needed.
    fn host(&self, telemetry: &Telemetry) -> Result<Option<Host>, String> {
        let text = self.text(Field::Host);
        if text.is_empty() && self.is_enabled() {
            return Err("write the relay's name or address".to_owned());
        }
        if text.is_empty() {
            return Ok(None);
        }
        let host = text.parse::<Host>().map_err(|error| error.to_string())?;
        telemetry.check_host(&host).map_err(|denial| {
            format!(
                "{denial}; use a relay that the egress policy allows, or exempt its address under egress.allow"
            )
        })?;
        Ok(Some(host))
    }

    fn port(&self, transport: &Transport) -> Result<Port, String> {
        let text = self.text(Field::Port);
        let default = transport.default_port();
        if text.is_empty() {
            return Ok(default);
        }
        let port = text.parse::<u16>().ok().and_then(|port| port.try_into().ok());
        port.ok_or_else(|| {
            format!(
                "{text:?} is not a port: write a number from 1 to 65535, or nothing for {default}"
            )
        })
    }

    /// The default where the field is empty.
    fn parsed<T: FromStr + Default>(&self, field: Field) -> Result<T, T::Err> {
        match self.text(field) {
            "" => Ok(T::default()),
            text => text.parse(),
        }
    }

    fn header(&self, field: Field, limit: usize, default: &str) -> Result<String, String> {
        match self.text(field) {
            "" => Ok(default.to_owned()),
            text if text.len() <= limit && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(text.to_owned())
            }
            _ => Err(format!(
                "write at most {limit} printable ASCII characters without spaces (RFC 5424, 6.2)"
            )),
        }
    }
}

#[derive(Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, field: Field, message: impl fmt::Display) {
        self.0.push(FieldError::new(field, message));
    }

    fn valid<T, E: fmt::Display>(&mut self, field: Field, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.add(field, error)).ok()
    }
}

/// The defaults, with a placeholder for the relay.
fn defaults(telemetry: &Telemetry) -> Config {
    let nowhere = Host::from(IpAddr::from([127, 0, 0, 1]));
    let port = Transport::default().default_port();
    let mut config = Config::new(Relay::new(nowhere, port));
    config.hostname = telemetry.instance_name().to_owned();
    config
}
