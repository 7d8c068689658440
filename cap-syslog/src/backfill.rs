//! The caller's primary store of audit events, which fills gaps.

use std::error::Error;
use std::ops::Bound;
use std::sync::Arc;

use crate::event::Event;

/// The primary store of audit events, which returns those that the buffer dropped.
///
/// With a store ([`ForwarderBuilder::backfill`](crate::ForwarderBuilder::backfill)), a relay that
/// was away for longer than the buffer lasts gets the missing events in order, before later ones,
/// and no gap record. [`Status::backfilled`](crate::Status::backfilled) counts them. They stay
/// among the dropped events, so `enqueued = delivered + dropped + queued` holds as without a store.
///
/// ```
/// use cap_syslog::{Backfill, BackfillError, Event};
/// use std::ops::Bound;
///
/// /// All events, in the order in which they were enqueued.
/// struct Log(Vec<Event>);
///
/// impl Backfill for Log {
///     fn events(
///         &self,
///         from: Bound<&str>,
///         to: &str,
///         limit: usize,
///     ) -> Result<Vec<Event>, BackfillError> {
///         let position = |id: &str| self.0.iter().position(|event| event.id() == id);
///         let first = match from {
///             Bound::Included(id) => position(id),
///             Bound::Excluded(id) => position(id).map(|before| before + 1),
///             Bound::Unbounded => Some(0),
///         };
///         let first = first.ok_or("the first event of the gap is not in the log")?;
///         let last = position(to).ok_or("the last event of the gap is not in the log")?;
///         Ok(self.0[first..=last].iter().take(limit).cloned().collect())
///     }
/// }
/// ```
pub trait Backfill: Send + Sync + 'static {
    /// The first `limit` of the events from `from` to `to`, `to` included, that were enqueued into
    /// this forwarder, in that order. An empty page says that no more follow.
    ///
    /// The forwarder calls this on a thread that may block, one call at a time. When several
    /// processes share a store, return the events of the calling process only, since each forwarder
    /// fills its own gaps. Ids are given as they were sent: of an id longer than 128 bytes, the
    /// first 120 and a mark.
    ///
    /// # Errors
    ///
    /// The store cannot answer. The forwarder asks again after 100 ms and after one more second.
    /// After a third failure it sends a gap record, so that the events in the buffer do not wait
    /// for a store that is away.
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
