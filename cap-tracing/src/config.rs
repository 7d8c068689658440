//! The settings of the trace pipe.

use std::str::FromStr;
use std::time::Duration;

use cap_egress::IpNet;
use http::{HeaderName, HeaderValue};

use crate::Endpoint;
use crate::error::{Error, Kind};

/// Spans in the queue or in a request at most: a bound on the bound, so that a slip of the pen is an error at start.
const SPANS: usize = 1_000_000;

/// The settings of the trace pipe; the fields' defaults are those of [`Config::new`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The collector.
    pub endpoint: Endpoint,
    /// Share of traces sampled when no upstream has decided. Default: 0.1.
    pub sample_rate: SampleRate,
    /// Whose decision to sample is honoured. `None`: everybody's. Otherwise that of these networks; a trace that anybody else
    /// began goes on, and whether it is sampled here is drawn at `sample_rate`, so that a caller from outside cannot switch
    /// sampling on. Default: `None`.
    pub trusted_peers: Option<Vec<IpNet>>,
    /// Headers of every export request. Their values are secrets: mark them with `HeaderValue::set_sensitive`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How requests are compressed. Default: not at all.
    pub compression: Compression,
    /// Attributes of the resource, `service.name` among them. Default: `service.name=certautopilot`.
    pub resource: Vec<(String, String)>,
    /// Ended spans held at most until they are sent. Default: 8192.
    pub queue_size: usize,
    /// Spans of one request at most. Default: 512.
    pub batch_size: usize,
    /// How long a span waits for its batch to fill. Default: 1 s.
    pub batch_delay: Duration,
    /// How long one request may take. Default: 10 s.
    pub timeout: Duration,
    /// How long a batch is tried again before its spans count as failed. Default: 30 s.
    pub retry_for: Duration,
}

impl Config {
    /// The defaults, for a collector.
    pub fn new(endpoint: Endpoint) -> Self {
        Config {
            endpoint,
            sample_rate: SampleRate::default(),
            trusted_peers: None,
            headers: Vec::new(),
            compression: Compression::None,
            resource: vec![("service.name".to_owned(), "certautopilot".to_owned())],
            queue_size: 8192,
            batch_size: 512,
            batch_delay: Duration::from_secs(1),
            timeout: Duration::from_secs(10),
            retry_for: Duration::from_secs(30),
        }
    }

    /// Whether it can work, as far as that shows without a collector; starting the pipe asks this too.
    ///
    /// # Errors
    ///
    /// [`Error::setting`] says which cannot, and why.
    pub fn check(&self) -> Result<(), Error> {
        for (key, size) in [
            ("queue_size", self.queue_size),
            ("batch_size", self.batch_size),
        ] {
            if !(1..=SPANS).contains(&size) {
                let what = format!("{size} cannot work; write a number from 1 to {SPANS}");
                return Err(Kind::Config { key, what }.into());
            }
        }
        if self.timeout.is_zero() {
            let (key, what) = (
                "timeout",
                "0 leaves no time to answer; write a duration such as 10s",
            );
            let what = what.to_owned();
            return Err(Kind::Config { key, what }.into());
        }
        Ok(())
    }
}

/// A share from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleRate(f64);

impl SampleRate {
    /// Every trace.
    pub const ALL: SampleRate = SampleRate(1.0);

    /// A share that is known to be one.
    pub(crate) fn of(share: f64) -> Self {
        SampleRate(share.clamp(0.0, 1.0))
    }

    /// The share as a number.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// One trace in ten.
impl Default for SampleRate {
    fn default() -> Self {
        SampleRate(0.1)
    }
}

impl FromStr for SampleRate {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s.parse::<f64>() {
            Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(SampleRate(rate)),
            _ => Err(format!("{s:?} is not a share: write a number from 0 to 1")),
        }
    }
}

/// How the body of an export request is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, quick rather than small. The work is the export thread's.
    Gzip,
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "none" => Ok(Compression::None),
            "gzip" => Ok(Compression::Gzip),
            _ => Err(format!("unknown compression {s:?}: write none or gzip")),
        }
    }
}
