//! The same framed record by other crates, each by its fastest documented way, into a reused buffer
//! where it takes one. They get the event's time, as the formatter does, except those that only
//! know "now".

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::io::Write as _;

use chrono::{DateTime, Local, SecondsFormat, Utc};
use fasyslog::format::SyslogContext;
use fasyslog::{Facility, SDElement, Severity};
use syslog::{Formatter5424, LogFormat as _};
use syslog_fmt::v5424::{Msg, Timestamp};
use syslog5424::types::Message;
use syslog5424::{Rfc5424Data, StructuredData, WriteFormat};

/// The parameters of the sample event.
pub(super) const PARAMS: [(&str, &str); 6] = [
    ("event_id", "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZA"),
    ("event_type", "cert.issued"),
    ("org_id", "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZB"),
    ("project_id", "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZC"),
    ("actor", "user:alice@example.com"),
    ("resource", "cert:01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZD"),
];
pub(super) const SUMMARY: &str = "Certificate issued for api.example.com";
pub(super) const HOSTNAME: &str = "cap-api-1";
const APP_NAME: &str = "certautopilot";
pub(super) const PROCID: &str = "12345";

/// Octet counting, for the crates that leave it to the caller.
fn framed(record: &[u8], out: &mut Vec<u8>) {
    out.clear();
    write!(out, "{} ", record.len()).expect("a Vec takes every write");
    out.extend_from_slice(record);
    black_box(out);
}

pub(super) fn fasyslog() -> impl FnMut(u64) {
    let mut context = SyslogContext::new();
    context.facility(Facility::LOCAL6).hostname(HOSTNAME).appname(APP_NAME).procid(PROCID);
    let (mut record, mut out) = (Vec::new(), Vec::new());
    move |count| {
        for _ in 0..count {
            let mut element = SDElement::new("cap@0").expect("an SD-ID");
            for (name, value) in black_box(PARAMS) {
                element.add_param(name, value).expect("a PARAM-NAME");
            }
            let formatted = context.format_rfc5424(
                Severity::INFORMATIONAL,
                None::<String>,
                vec![element],
                Some(SUMMARY),
            );
            record.clear();
            write!(record, "{formatted}").expect("a Vec takes every write");
            framed(&record, &mut out);
        }
    }
}

pub(super) fn syslog() -> impl FnMut(u64) {
    let formatter = Formatter5424 {
        facility: syslog::Facility::LOG_LOCAL6,
        hostname: Some(HOSTNAME.to_owned()),
        process: APP_NAME.to_owned(),
        pid: 12345,
    };
    let (mut record, mut out) = (Vec::new(), Vec::new());
    move |count| {
        for _ in 0..count {
            let params = black_box(PARAMS).map(|(name, value)| (name.to_owned(), value.to_owned()));
            let data = BTreeMap::from([("cap@0".to_owned(), BTreeMap::from(params))]);
            record.clear();
            formatter
                .format(&mut record, syslog::Severity::LOG_INFO, (0, data, black_box(SUMMARY)))
                .expect("a Vec takes every write");
            framed(&record, &mut out);
        }
    }
}

pub(super) fn syslog_fmt() -> impl FnMut(u64) {
    let formatter = syslog_fmt::v5424::Config {
        facility: syslog_fmt::Facility::Local6,
        hostname: Some(HOSTNAME),
        app_name: Some(APP_NAME),
        proc_id: Some(PROCID),
    }
    .into_formatter();
    let time = Local::now();
    let (mut record, mut out) = (Vec::new(), Vec::new());
    move |count| {
        for _ in 0..count {
            record.clear();
            formatter
                .write_with_data(
                    &mut record,
                    syslog_fmt::Severity::Info,
                    Timestamp::Chrono(black_box(&time)),
                    Msg::NonUnicodeBytes(black_box(SUMMARY).as_bytes()),
                    None,
                    [("cap@0", black_box(PARAMS))],
                )
                .expect("a Vec takes every write");
            framed(&record, &mut out);
        }
    }
}

struct Sample(DateTime<Utc>);

impl Rfc5424Data for Sample {
    fn severity(&self) -> syslog5424::types::Severity {
        syslog5424::types::Severity::Informational
    }

    fn timestamp(&self) -> Option<String> {
        Some(self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    fn structured_data(&self) -> Option<StructuredData<'_>> {
        let params = PARAMS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(HashMap::from([("cap", params.to_vec())]))
    }

    fn message(&self) -> Option<Message> {
        Some(Message::Binary(SUMMARY.as_bytes().to_vec()))
    }
}

pub(super) fn syslog5424() -> impl FnMut(u64) {
    let formatter = syslog5424::Rfc5424Builder::new("0", syslog5424::types::Facility::Local6)
        .hostname(HOSTNAME)
        .and_then(|builder| builder.app_name(APP_NAME))
        .and_then(|builder| builder.pid(PROCID))
        .expect("sound header fields")
        .write_format(WriteFormat::RFC5425)
        .build();
    let sample = Sample(Utc::now());
    let mut out = Vec::new();
    move |count| {
        for _ in 0..count {
            out.clear();
            formatter.format(&mut out, black_box(&sample)).expect("a Vec takes every write");
            black_box(&out);
        }
    }
}
