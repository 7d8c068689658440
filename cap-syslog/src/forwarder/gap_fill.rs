//! Filling a gap: the events come from the primary store, and go to the relay before those in the
//! buffer.

use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_egress::worker::{Deadline, passed};
use tokio::task::JoinHandle;

use super::cursor::{Cursor, Source};
use super::shared::Shared;
use crate::backfill::BackfillError;
use crate::event::Event;
use crate::ring::Gap;

/// Events in one request to the store.
const PAGE: usize = 1024;
/// Delays after the first and the second failure of the store. A third failure ends the attempt.
const RETRIES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Decides what is sent next, and keeps the events of the store coming while there is a gap.
pub(super) struct GapFill<'a> {
    shared: &'a Shared,
    open: Option<OpenGap>,
    /// When a forwarder that is stopping reports the rest of a gap instead of filling it.
    give_up: Deadline,
}

/// A gap that is being filled.
struct OpenGap {
    gap: Gap,
    from: Bound<String>,
    found: u64,
    failures: usize,
    request: Request,
}

enum Request {
    /// Ask the store at this time, once there is room.
    Due(Instant),
    Pending(JoinHandle<Result<Vec<Event>, BackfillError>>),
}

impl<'a> GapFill<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self { shared, open: None, give_up: None }
    }

    /// The buffer need not wait for events from the store.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_none()
    }

    /// Leaves half of the time of a shutdown to the buffer.
    pub(super) fn stopping(&mut self, stop: Deadline) {
        if let (None, Some(until)) = (self.give_up, stop) {
            let now = Instant::now();
            self.give_up = Some(now + until.saturating_duration_since(now) / 2);
        }
    }

    /// The next event to send; `None` while the buffer has to wait for the store.
    pub(super) fn next(&mut self) -> Option<Cursor> {
        self.request();
        let mut stored = self.shared.stored();
        let next = stored.next();
        if stored.from(next).next().is_some() {
            return Some(Cursor::new(Source::Store, next));
        }
        drop(stored);
        self.is_idle().then(|| Cursor::new(Source::Buffer, self.shared.buffer().next()))
    }

    /// Opens a gap if there is one, and requests more of it when there is room.
    fn request(&mut self) {
        let Some(store) = &self.shared.store else {
            return;
        };
        if self.open.is_none() {
            self.open = self.shared.buffer().take_gap().map(OpenGap::new);
        }
        let now = Instant::now();
        if self.open.is_some() && self.give_up.is_some_and(|at| at <= now) {
            self.report_gap();
        }
        let Some(open) = &mut self.open else { return };
        let capacity = self.shared.buffer().capacity();
        let limit = PAGE.min(capacity);
        let has_room = self.shared.stored().len() + limit <= capacity;
        if has_room && matches!(open.request, Request::Due(at) if at <= now) {
            let (store, from) = (Arc::clone(store), open.from.clone());
            let to = open.gap.last_id().to_owned();
            open.request = Request::Pending(tokio::task::spawn_blocking(move || {
                let from = from.as_ref().map(String::as_str);
                let mut page = store.events(from, &to, limit)?;
                page.truncate(limit);
                Ok(page)
            }));
        }
    }

    /// Waits until [`next`](Self::next) may return something else than before. Safe to drop at any
    /// time.
    pub(super) async fn progress(&mut self) {
        let Some(open) = &mut self.open else {
            return std::future::pending().await;
        };
        let answer = tokio::select! {
            () = passed(self.give_up) => return self.report_gap(),
            answer = open.answer() => answer,
        };
        match answer {
            Some(Ok(page)) => self.take(page),
            Some(Err(error)) => self.failed(&error),
            None => {}
        }
    }

    fn take(&mut self, page: Vec<Event>) {
        let Some(open) = &mut self.open else { return };
        if let Bound::Excluded(known) = &open.from
            && page.iter().any(|event| event.id() == known)
        {
            let error = format!("it returned {known}, although it was asked for what follows");
            return self.failed(&error.into());
        }
        open.failures = 0;
        open.request = Request::Due(Instant::now());
        let last = page.last().map(|event| event.id().to_owned());
        open.found += page.len() as u64;
        let settings = Arc::clone(&self.shared.settings.borrow());
        let mut stored = self.shared.stored();
        stored.resize(settings.config.buffer_size.get());
        for mut event in page {
            event.bound(settings.config.message_size().get());
            stored.push(&mut event);
        }
        drop(stored);
        match last {
            Some(last) if last != open.gap.last_id() => open.from = Bound::Excluded(last),
            _ => self.report_gap(),
        }
    }

    fn failed(&mut self, error: &BackfillError) {
        let Some(open) = &mut self.open else { return };
        let delay = RETRIES.get(open.failures);
        open.failures += 1;
        match delay {
            Some(delay) => {
                tracing::warn!(target: "cap_syslog", %error, "the store of audit events does not fill a gap yet");
                open.request = Request::Due(Instant::now() + *delay);
            }
            None => {
                tracing::warn!(
                    target: "cap_syslog", %error,
                    "the store of audit events does not fill a gap; the relay gets a gap record"
                );
                self.report_gap();
            }
        }
    }

    /// Closes the gap, with a gap record for the events that the store did not have.
    fn report_gap(&mut self) {
        let Some(open) = self.open.take() else { return };
        match open.gap.without(open.found) {
            Some(missing) => self.shared.buffer().report(missing),
            None => {
                tracing::info!(target: "cap_syslog", events = open.found, "the store of audit events filled a gap");
            }
        }
    }
}

impl OpenGap {
    fn new(gap: Gap) -> Self {
        Self {
            from: Bound::Included(gap.first_id().to_owned()),
            gap,
            found: 0,
            failures: 0,
            request: Request::Due(Instant::now()),
        }
    }

    /// The store's answer; `None` when it is time to ask again.
    async fn answer(&mut self) -> Option<Result<Vec<Event>, BackfillError>> {
        match &mut self.request {
            Request::Due(at) if *at <= Instant::now() => std::future::pending().await,
            Request::Due(at) => {
                tokio::time::sleep_until((*at).into()).await;
                None
            }
            Request::Pending(answer) => {
                Some(answer.await.unwrap_or_else(|panicked| Err(io::Error::other(panicked).into())))
            }
        }
    }
}
