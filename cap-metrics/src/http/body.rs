//! The body of a scrape, rendered while it is sent.

use std::fmt;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Body, Frame};

use super::negotiate::Coding;
use crate::exposition::Format;
use crate::metrics::Metrics;
use crate::scrape::Scrape;

/// The least bytes of a frame: enough that the overhead of a frame does not matter, and few enough
/// that a frame does not hold a runtime's thread.
const FRAME: usize = 64 * 1024;

/// The scrapes under way. A scrape past its deadline does not count: its scraper has stopped
/// reading, and its body fails when it is polled again.
#[derive(Debug)]
pub(super) struct InFlight {
    limit: usize,
    timeout: Duration,
    deadlines: Mutex<Vec<Instant>>,
}

/// One of the scrapes under way.
#[derive(Debug)]
pub(super) struct Permit {
    in_flight: Arc<InFlight>,
    deadline: Instant,
}

impl InFlight {
    pub(super) fn new(limit: usize, timeout: Duration) -> Self {
        Self { limit, timeout, deadlines: Mutex::default() }
    }

    pub(super) fn enter(self: &Arc<Self>) -> Option<Permit> {
        let now = Instant::now();
        let mut deadlines = self.deadlines.lock().unwrap_or_else(PoisonError::into_inner);
        deadlines.retain(|deadline| *deadline > now);
        if deadlines.len() >= self.limit {
            return None;
        }
        let deadline = now + self.timeout;
        deadlines.push(deadline);
        Some(Permit { in_flight: Arc::clone(self), deadline })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let deadlines = self.in_flight.deadlines.lock();
        let mut deadlines = deadlines.unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = deadlines.iter().position(|deadline| *deadline == self.deadline) {
            deadlines.swap_remove(mine);
        }
    }
}

/// The body of a scrape, rendered a frame at a time.
pub struct ScrapeBody(Option<Sending>);

struct Sending {
    scrape: Scrape,
    gzip: Option<GzEncoder<Vec<u8>>>,
    permit: Permit,
}

/// The scraper took longer than a scrape may take. The connection closes before the end
/// of the body, so the scraper rejects it.
#[derive(Debug, thiserror::Error)]
#[error("the scraper did not read the body before the scrape's timeout")]
pub struct ScrapeTimeout(());

impl ScrapeBody {
    pub(super) fn empty() -> Self {
        Self(None)
    }

    pub(super) fn new(metrics: Metrics, format: Format, coding: Coding, permit: Permit) -> Self {
        let gzip = || GzEncoder::new(Vec::new(), Compression::fast());
        Self(Some(Sending {
            scrape: Scrape::new(metrics.registry, format),
            gzip: (coding == Coding::Gzip).then(gzip),
            permit,
        }))
    }
}

impl Sending {
    /// The next frame, and whether it is the last.
    fn frame(&mut self) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        let mut more = true;
        while more && out.len() < FRAME {
            more = self.scrape.write(&mut out);
        }
        let Some(gzip) = &mut self.gzip else {
            return (out, !more);
        };
        // Writing to a Vec does not fail.
        let _ = gzip.write_all(&out);
        if !more {
            let _ = gzip.try_finish();
        }
        (std::mem::take(gzip.get_mut()), !more)
    }
}

impl Body for ScrapeBody {
    type Data = Bytes;
    type Error = ScrapeTimeout;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ScrapeTimeout>>> {
        while let Some(sending) = &mut self.0 {
            if Instant::now() >= sending.permit.deadline {
                self.0 = None;
                return Poll::Ready(Some(Err(ScrapeTimeout(()))));
            }
            let (frame, last) = sending.frame();
            if last {
                self.0 = None;
            }
            // The compressor may hold back all of its output.
            if !frame.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(frame.into()))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Debug for ScrapeBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScrapeBody").finish_non_exhaustive()
    }
}
