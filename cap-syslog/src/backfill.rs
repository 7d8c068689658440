//! The caller's primary store of audit events, which can fill a gap.

use std::error::Error;
use std::ops::Bound;
use std::sync::Arc;

use crate::event::Event;

/// The primary store of audit events, asked for those that the buffer had to drop.
///
/// With a store ([`ForwarderBuilder::backfill`](crate::ForwarderBuilder::backfill)) a relay that was away for longer than the buffer lasts
/// gets the events of the gap, in order, before the events after it, and no gap record. [`Status::backfilled`](crate::Status::backfilled)
/// counts them; they stay among the dropped ones, so the account of the buffer closes as before.
///
/// ```
/// use cap_syslog::{Backfill, BackfillError, Event};
/// use std::ops::Bound;
///
/// /// Keeps everything, in the order in which it was enqueued.
/// struct Log(Vec<Event>);
///
/// impl Backfill for Log {
///     fn events(&self, from: Bound<&str>, to: &str, limit: usize) -> Result<Vec<Event>, BackfillError> {
///         let place = |id: &str| self.0.iter().position(|event| event.id() == id);
///         let first = match from {
///             Bound::Included(id) => place(id),
///             Bound::Excluded(id) => place(id).map(|before| before + 1),
///             Bound::Unbounded => Some(0),
///         };
///         let first = first.ok_or("the first event of the gap is not in the log")?;
///         let last = place(to).ok_or("the last event of the gap is not in the log")?;
///         Ok(self.0[first..=last].iter().take(limit).cloned().collect())
///     }
/// }
/// ```
pub trait Backfill: Send + Sync + 'static {
    /// The events from `from` to `to` (with it) that were handed to this forwarder, in the order in which they were, as
    /// they were: the first `limit` of them. None, when there are no more.
    ///
    /// Called on a thread that may block, one call at a time. Where several processes share a store, each forwarder should
    /// get its own process's events, since the others' come by their own. Ids of events are given as they were sent: of one longer
    /// than 128 bytes the first 120 and a mark.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from answering. It is asked again twice, a tenth of a second and a second later; then a gap record is sent, as
    /// without a store, so that a store that is away does not hold up the events that are in the buffer.
    fn events(
        &self,
        from: Bound<&str>,
        to: &str,
        limit: usize,
    ) -> Result<Vec<Event>, BackfillError>;
}

impl<B: Backfill + ?Sized> Backfill for Arc<B> {
    fn events(
        &self,
        from: Bound<&str>,
        to: &str,
        limit: usize,
    ) -> Result<Vec<Event>, BackfillError> {
        (**self).events(from, to, limit)
    }
}

/// Reason a store does not answer.
pub type BackfillError = Box<dyn Error + Send + Sync>;
