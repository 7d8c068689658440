//! Audit events to a SIEM: RFC 5424 syslog over UDP, TCP or TLS, through relay outages, without ever blocking the caller.
//!
//! ```no_run
//! use cap_names::Actor;
//! use cap_syslog::{Config, Event, Forwarder};
//! use std::time::Duration;
//!
//! let config = Config::new("relay.example:601".parse()?);
//! let guard = cap_egress::Guard::new(cap_egress::Policy::default());
//! let forwarder = Forwarder::builder(config, guard).start()?;
//! forwarder.enqueue(
//!     Event::new("evt_1", "cert.issued", Actor::user("alice@example.com"), "Certificate issued for api.example.com")
//!         .project("p1")
//!         .resource("cert:c1"),
//! );
//! let report = forwarder.shutdown(Duration::from_secs(5));
//! assert_eq!(report.enqueued, report.delivered + report.dropped + report.queued);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Delivery
//!
//! [`Forwarder::enqueue`] puts the event into a bounded buffer and returns; when the buffer is full the oldest event makes
//! room and is counted. A thread of the crate's own formats, frames and writes: an event alone at once, and under load what came in
//! 20 ms, or 128 events, together. An event leaves the buffer only when the relay's TCP stack has acknowledged its bytes and a
//! grace has passed, so a relay that dies with unread bytes gets them again after the reconnect: delivery is at least once, and
//! duplicates carry the same `event_id`. While the relay acknowledges nothing of what came later, the grace hardly passes: a link that is
//! cut says nothing of the relay behind it. On a link on which nothing follows, it passes. After a drop, the next record is a synthetic `syslog.gap` event that
//! says how many events are missing, and the first and last of them. With the caller's primary store behind it ([`Backfill`]) the
//! forwarder sends the missing events instead, in their place.
//!
//! Over TLS the acknowledged bytes are those of the session, counted below it. Over UDP an event leaves the buffer with its
//! datagram, and a closed port is noticed when it says so. [`Status::confirmation`] says which of these holds; where the kernel
//! cannot be asked what was acknowledged (anything but Linux), the grace alone decides. A relay that closes its
//! sending side while it goes on reading counts as gone.
//!
//! An event on which the relay closes the connection again and again, while it takes a harmless record, is set aside, counted,
//! and named in the next gap record. [`Config::fallbacks`] stand in for a relay that is away, and
//! [`Forwarder::reconfigure`] changes any setting while events flow.
//!
//! [`probe`] and [`Forwarder::probe`] send one real record and say, stage by stage, how far it came, and what to change where it
//! did not.
//!
//! # What no input can do
//!
//! One event is one record: control characters are written as `#` and three octal digits (`#012` for a line feed), header
//! fields and parameter names are reduced to the characters and lengths of RFC 5424, and a record that would be too long
//! loses whole parameters and the end of its text, never a part of a parameter, and shows that it did. The README has the
//! whole table, and what a record looks like in either [`Format`].
//!
//! # What it does not do
//!
//! It is not the primary audit record, which stays the caller's. It reads no environment and resolves no host name of its
//! own: [`Config::hostname`] is given. TLS cannot be told not to verify.

mod backfill;
mod config;
mod cut;
mod error;
mod event;
mod format;
mod forwarder;
mod frame;
mod probe;
mod relay;
mod ring;
mod status;
mod test_event;
mod timestamp;

pub use backfill::{Backfill, BackfillError};
pub use config::{
    BoundedDuration, BufferSize, Config, Facility, Format, Port, RecordSize, Relay, SdId, Tls,
    Transport,
};
pub use error::{Error, SettingError};
pub use event::Event;
pub use format::Formatter;
pub use forwarder::{Forwarder, ForwarderBuilder};
pub use frame::Framing;
pub use probe::{
    ProbeCause, ProbeFailure, ProbeReport, ProbeStage, ProbeStep, ProbeVerdict, probe,
};
pub use relay::RelayError;
pub use status::{Confirmation, Report, State, Status};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
