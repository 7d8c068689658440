//! Generated audit events with hostile text in every field, and what a reader must find.
//!
//! A case is made from bytes, so that a seeded generator and a fuzzer make the same cases. The
//! expected fields come from the case's own texts by the documented rules, never from the formatter
//! under test.

mod check;
mod choices;
mod expected;

use cap_names::{Actor, ActorType, ClosedEnum as _, Severity};
use cap_syslog::{Config, Event, Format, Framing, Transport};
use chrono::{DateTime, TimeDelta, Utc};

use choices::Choices;
#[allow(
    unused_imports,
    reason = "the fuzz targets include this file and check through Case alone"
)]
pub use expected::{Expected, Field};

/// Device Version of every case.
const PRODUCT_VERSION: &str = "2.4.1";

/// One event and the settings it is written with.
#[derive(Clone, Debug)]
pub struct Case {
    id: String,
    event_type: String,
    actor: (ActorType, String),
    org: Option<String>,
    project: Option<String>,
    resource: Option<String>,
    severity: Severity,
    time: DateTime<Utc>,
    summary: String,
    params: Vec<(String, String)>,
    settings: Settings,
}

/// The settings of the formatter and its frame.
#[derive(Clone, Debug)]
struct Settings {
    facility: u8,
    hostname: String,
    app_name: String,
    procid: String,
    sd_id: String,
    max: usize,
    format: Format,
    framing: Framing,
}

impl Case {
    /// The case that these bytes stand for: any bytes do, and most cases differ.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut choices = Choices::new(bytes);
        let choices = &mut choices;
        Case {
            severity: choices.one_of(Severity::ALL),
            settings: Settings::choose(choices),
            time: time(choices),
            id: choices.text(),
            event_type: choices.text(),
            actor: (choices.one_of(ActorType::ALL), choices.text()),
            org: choices.maybe(Choices::text),
            project: choices.maybe(Choices::text),
            resource: choices.maybe(Choices::text),
            summary: choices.text(),
            params: (0..choices.below(4) * choices.below(4))
                .map(|_| (param_name(choices), choices.text()))
                .collect(),
        }
    }

    /// The same case in this framing.
    #[must_use]
    pub fn framed_by(mut self, framing: Framing) -> Self {
        self.settings.framing = framing;
        self
    }

    /// The same case as relays accept it: at most 8 KiB, and a time between 1970 and 2096.
    #[must_use]
    pub fn for_relay(mut self) -> Self {
        self.settings.max = self.settings.max.min(8192);
        let millis = self.time.timestamp_millis().rem_euclid(4_000_000_000_000);
        self.time = DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis);
        self
    }

    /// The event.
    pub fn event(&self) -> Event {
        let (kind, actor) = &self.actor;
        let mut event =
            Event::new(&self.id, &self.event_type, Actor::new(*kind, actor), &self.summary)
                .severity(self.severity)
                .time(self.time);
        if let Some(org) = &self.org {
            event = event.org(org);
        }
        if let Some(project) = &self.project {
            event = event.project(project);
        }
        if let Some(resource) = &self.resource {
            event = event.resource(resource);
        }
        (self.params.iter()).fold(event, |event, (name, value)| event.param(name, value))
    }

    /// The settings, for a relay that is somewhere else.
    pub fn config(&self) -> Config {
        let mut config = Config::new("127.0.0.1:601".parse().expect("a relay"));
        let settings = &self.settings;
        config.facility = settings.facility.to_string().parse().expect("a code");
        config.hostname.clone_from(&settings.hostname);
        config.app_name.clone_from(&settings.app_name);
        config.sd_id = settings.sd_id.parse().expect("an SD-ID");
        config.product_version = PRODUCT_VERSION.to_owned();
        config.max_message_size = Some(settings.max.try_into().expect("in bounds"));
        config.format = settings.format;
        config.transport = Transport::Tcp(settings.framing);
        config
    }

    /// The record as the formatter under test writes it.
    pub fn record(&self) -> Vec<u8> {
        let mut record = Vec::new();
        self.config().formatter(&self.settings.procid).write(&self.event(), &mut record);
        record
    }

    /// Appends the record, framed.
    pub fn append_frame(&self, out: &mut Vec<u8>) {
        let formatter = self.config().formatter(&self.settings.procid);
        let event = self.event();
        (self.settings.framing).append(out, |out| formatter.write(&event, out));
    }

    /// How the case is framed.
    pub fn framing(&self) -> Framing {
        self.settings.framing
    }
}

impl Settings {
    fn choose(choices: &mut Choices<'_>) -> Self {
        Settings {
            facility: choices.below(24) as u8,
            hostname: choices.text(),
            app_name: choices.text(),
            procid: choices.text(),
            sd_id: choices
                .one_of(&["cap@0", "a@1", "audit.events-of_this@32473.1", "origin@0"])
                .to_owned(),
            max: choices.one_of(&[2048, 2048, 2049, 4096, 8192, 8192, 65_536]),
            format: choices.one_of(&[Format::Rfc5424, Format::Rfc5424, Format::Cef]),
            framing: choices.one_of(&[Framing::OctetCounting, Framing::Newline]),
        }
    }
}

/// Anything, and now and then what CEF has a place for.
fn param_name(choices: &mut Choices<'_>) -> String {
    match choices.below(8) {
        0 => choices.one_of(&["common_name", "issuer"]).to_owned(),
        _ => choices.text(),
    }
}

fn time(choices: &mut Choices<'_>) -> DateTime<Utc> {
    let millis = choices.number() as i64;
    match choices.below(8) {
        // All that chrono can say, most of which needs more than four digits.
        0 => {
            DateTime::from_timestamp_millis(millis / 2_200_000).unwrap_or(DateTime::<Utc>::MAX_UTC)
        }
        1 => DateTime::<Utc>::MIN_UTC,
        // A leap second, as chrono holds it.
        2 => {
            DateTime::from_timestamp(1_483_228_799, 1_000_000_000 + (millis as u32 % 1_000_000_000))
                .expect("the last one so far")
        }
        // Within some thousand years of 1970, in days and milliseconds.
        3 => DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis % 300_000_000_000_000),
        _ => DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis.rem_euclid(4_000_000_000_000)),
    }
}
