//! The settings of the trace pipeline.

mod compression;
mod limits;
mod sample_rate;

use std::collections::BTreeMap;
use std::time::Duration;

use cap_egress::IpNet;
use http::HeaderMap;

use crate::endpoint::Endpoint;

pub use compression::Compression;
pub use limits::{RequestTimeout, SpanCount};
pub use sample_rate::SampleRate;

/// The settings of the trace pipeline. [`Config::new`] has the default of each field.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The collector.
    pub endpoint: Endpoint,
    /// The fraction of traces to sample when no upstream has decided. Default: 0.1.
    pub sample_rate: SampleRate,
    /// The networks whose decision to sample this service honors. `None`: every network.
    ///
    /// A trace from any other network is continued; `sample_rate` decides whether to sample it
    /// here. A caller from outside therefore cannot switch sampling on. Default: `None`.
    pub trusted_peers: Option<Vec<IpNet>>,
    /// Headers of every export request. Their values are secrets: mark them with
    /// `HeaderValue::set_sensitive`. Default: none.
    pub headers: HeaderMap,
    /// How the bodies of requests are compressed. Default: [`Compression::None`].
    pub compression: Compression,
    /// Attributes of the resource. Default: `service.name=certautopilot`.
    pub resource: BTreeMap<String, String>,
    /// How many ended spans the queue holds. When it is full, a span that ends is dropped and
    /// counted. Default: 8192.
    pub queue_size: SpanCount,
    /// How many spans one request holds. Default: 512.
    pub batch_size: SpanCount,
    /// How long a span waits for its batch to fill. Default: 1 s.
    pub batch_delay: Duration,
    /// How long one attempt to send a batch may take. Default: 10 s.
    pub timeout: RequestTimeout,
    /// How long a batch is retried before its spans count as failed. Default: 30 s.
    pub retry_for: Duration,
}

impl Config {
    /// The defaults, for a collector.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            sample_rate: SampleRate::default(),
            trusted_peers: None,
            headers: HeaderMap::new(),
            compression: Compression::None,
            resource: [("service.name".to_owned(), "certautopilot".to_owned())].into(),
            queue_size: SpanCount::QUEUE,
            batch_size: SpanCount::BATCH,
            batch_delay: Duration::from_secs(1),
            timeout: RequestTimeout::default(),
            retry_for: Duration::from_secs(30),
        }
    }
}
