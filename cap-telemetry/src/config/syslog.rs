//! The settings of the audit pipeline.

use std::str::FromStr;

use cap_egress::{ClientIdentity, Host, Trust};
use cap_syslog::{Config, Facility, Format, Framing, Relay, SdId, Tls, Transport};

use crate::document::Document;
use crate::error::Error;

pub(super) fn syslog(document: &mut Document, instance: &str) -> Result<Option<Config>, Error> {
    const HOST: &str = "syslog.host";

    let enabled = document.take::<bool>("syslog.enabled")?;
    let host = document.take::<Host>(HOST)?;
    let port = document.take::<u16>("syslog.port")?;
    let fallbacks = document.take_list::<Fallback>("syslog.fallbacks")?;
    let failback = document.take_duration("syslog.failback")?;
    let transport = transport(document)?;
    let format = document.take::<Format>("syslog.format")?;
    let facility = document.take::<Facility>("syslog.facility")?;
    let hostname = document.take::<String>("syslog.hostname")?;
    let app_name = document.take::<String>("syslog.app_name")?;
    let sd_id = document.take::<String>("syslog.sd_id")?;
    let product_version = document.take::<String>("syslog.product_version")?;
    let buffer_size = document.take::<usize>("syslog.buffer_size")?;
    let max_message_size = document.take::<usize>("syslog.max_message_size")?;
    let grace = document.take_duration("syslog.grace")?;
    let stall_timeout = document.take_duration("syslog.stall_timeout")?;

    if !enabled.unwrap_or(false) {
        return Ok(None);
    }
    let Some(host) = host else {
        return Err(document.error_at(
            HOST,
            "required while syslog is enabled; write the relay's name or address",
        ));
    };
    let mut config = Config::new(Relay::new(host, transport.default_port()));
    document.set("syslog.port", port, &mut config.relay.port)?;
    for fallback in fallbacks {
        let mut relay = Relay::new(fallback.host, config.relay.port);
        document.set("syslog.fallbacks", fallback.port, &mut relay.port)?;
        config.fallbacks.push(relay);
    }
    document.set("syslog.failback", failback, &mut config.failback)?;
    config.format = format.unwrap_or(config.format);
    config.facility = facility.unwrap_or(config.facility);
    config.hostname = hostname.unwrap_or_else(|| instance.to_owned());
    config.app_name = app_name.unwrap_or(config.app_name);
    if let Some(sd_id) = sd_id {
        let sd_id = sd_id.parse::<SdId>();
        config.sd_id = sd_id.map_err(|error| document.error_at("syslog.sd_id", error))?;
    }
    config.product_version = product_version.unwrap_or(config.product_version);
    document.set("syslog.buffer_size", buffer_size, &mut config.buffer_size)?;
    if let Some(bytes) = max_message_size {
        let size = transport.message_size(bytes);
        let size = size.map_err(|error| document.error_at("syslog.max_message_size", error))?;
        config.max_message_size = Some(size);
    }
    document.set("syslog.grace", grace, &mut config.grace)?;
    document.set("syslog.stall_timeout", stall_timeout, &mut config.stall_timeout)?;
    config.transport = transport;
    Ok(Some(config))
}

/// The transport with its framing and TLS. A key of another transport is an error.
fn transport(document: &mut Document) -> Result<Transport, Error> {
    const FRAMING: &str = "syslog.framing";
    const CA: &str = "syslog.tls.ca";
    const CERTIFICATE: &str = "syslog.tls.client_certificate";
    const KEY: &str = "syslog.tls.client_key";

    let transport = document.take::<Transport>("syslog.transport")?;
    let framing = document.take::<Framing>(FRAMING)?;
    let ca_pem = document.take::<String>(CA)?;
    let certificate = document.take::<String>(CERTIFICATE)?;
    let key = document.take::<String>(KEY)?;

    let transport = transport.unwrap_or_default();
    let given =
        [(CA, ca_pem.is_some()), (CERTIFICATE, certificate.is_some()), (KEY, key.is_some())];
    if !matches!(transport, Transport::Tls(..))
        && let Some((key, _)) = given.iter().find(|(_, given)| *given)
    {
        let what = "belongs to the transport tcp+tls; write `transport: tcp+tls` or leave it out";
        return Err(document.error_at(key, what));
    }
    match transport {
        Transport::Udp if framing.is_some() => {
            let what = "a datagram has no framing; leave it out, or use another transport";
            Err(document.error_at(FRAMING, what))
        }
        Transport::Tls(default, _) => {
            let mut tls = Tls::default();
            if let Some(pem) = &ca_pem {
                let trust = Trust::system_with_ca(pem.as_bytes());
                trust.map_err(|error| document.error_at(CA, error))?;
            }
            tls.ca_pem = ca_pem;
            tls.identity = match (certificate, key) {
                (None, None) => None,
                (Some(certificate), Some(key)) => {
                    let identity = ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes());
                    Some(identity.map_err(|error| {
                        let wrong = if error.is_client_key() { KEY } else { CERTIFICATE };
                        document.error_at(wrong, error)
                    })?)
                }
                (Some(_), None) => {
                    return Err(
                        document.error_at(KEY, "required, since syslog.tls.client_certificate is set; write its key in PEM")
                    );
                }
                (None, Some(_)) => {
                    return Err(document.error_at(CERTIFICATE, "required, since syslog.tls.client_key is set; write its certificate in PEM"));
                }
            };
            Ok(Transport::Tls(framing.unwrap_or(default), tls))
        }
        Transport::Tcp(default) => Ok(Transport::Tcp(framing.unwrap_or(default))),
        other => Ok(other),
    }
}

/// A relay of the list of fallbacks. Without a port, it has the port of the first relay.
struct Fallback {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, thiserror::Error)]
enum ParseFallbackError {
    #[error("write a host, or a host and its port, such as relay.example:6514")]
    Port,
    #[error(transparent)]
    Host(#[from] cap_egress::Error),
}

impl FromStr for Fallback {
    type Err = ParseFallbackError;

    fn from_str(s: &str) -> Result<Self, ParseFallbackError> {
        // An IPv6 address with a port has brackets.
        let split =
            s.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
        let (host, port) = match split {
            Some((host, port)) => {
                let port = port.parse().map_err(|_| ParseFallbackError::Port)?;
                (host, Some(port))
            }
            None => (s, None),
        };
        let host = host.parse()?;
        Ok(Self { host, port })
    }
}
