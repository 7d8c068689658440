//! Audit events to a SIEM: RFC 5424 syslog over UDP, TCP or TLS, through relay outages, without
//! ever blocking the caller.
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
//!     Event::new("evt_1", "cert.issued", Actor::user("alice"), "Issued for api.example.com")
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
//! [`Forwarder::enqueue`] puts the event into a bounded buffer and returns. When the buffer is
//! full, the oldest event is dropped and counted. One thread of the crate formats, frames and
//! writes the events. An event that comes alone is written at once; under load, events that come
//! within 20 ms share a batch.
//!
//! The forwarder keeps an event until the relay's TCP stack has acknowledged its bytes and a grace
//! has passed. A relay that dies before it reads them gets the event again after the reconnect.
//! Delivery is therefore at least once, and duplicates carry the same `event_id`. While later bytes
//! stay unacknowledged, at most half of the grace passes, because the link may be cut.
//!
//! After a drop, the next record is a `syslog.gap` event with the number of missing events, the
//! first id and the last. With the caller's primary store ([`ForwarderBuilder::backfill`]), the
//! forwarder sends the missing events instead, in their place.
//!
//! | transport | an event is delivered when |
//! |---|---|
//! | TCP | its bytes were acknowledged, and the grace passed |
//! | TLS | the same for the bytes of the session |
//! | UDP | the network took its datagram; an attempt on a closed port loses one |
//!
//! [`Status::confirmation`] says which rule is in force. On systems other than Linux, and in
//! sandboxes that forbid the question, the kernel does not say what was acknowledged, and the grace
//! alone decides. A relay that closes its sending side counts as gone, even if it still reads.
//!
//! An event on which the relay closes the connection again and again, although it takes a test
//! event, is quarantined: dropped, counted, and named in the next gap record. [`Config::fallbacks`]
//! replace a relay that is away, and [`Forwarder::reconfigure`] changes any setting while events
//! flow.
//!
//! [`probe`] and [`Forwarder::probe`] send one real record. They report each stage, and what to
//! change if one failed.
//!
//! # What no input can do
//!
//! One event is one record. A control character becomes `#` and three octal digits (`#012` for a
//! line feed). Header fields and parameter names are reduced to the characters and lengths of RFC
//! 5424. A record that would be too long loses whole parameters and the end of its text, never a
//! part of a parameter, and ends with a mark. The README has the whole table, and a record in each
//! [`Format`].
//!
//! # What it does not do
//!
//! - It is not the primary audit record, which the caller keeps.
//! - It reads no environment variable and does not look up the host's name: set
//!   [`Config::hostname`].
//! - It has no option to skip the verification of TLS.

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

/// The crate of the times in the public API.
pub use chrono;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
