//! Events of a gap, which come from the caller's primary store and go to the relay before those in the buffer.

use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::Shared;
use crate::backfill::BackfillError;
use crate::event::Event;
use crate::ring::Gap;
use crate::stop::{Deadline, passed};

/// Events asked for at once.
const PAGE: usize = 1024;
/// How long after a failure the store is asked again; after one more, the gap is told instead.
const RETRIES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Decides what is sent next, and keeps the stored part of the buffer filled while there is a gap.
pub(super) struct Backlog<'a> {
    shared: &'a Shared,
    open: Option<Open>,
    /// When a forwarder that is stopping tells the rest of a gap instead, so that it still gets to what is in the buffer.
    give_up: Deadline,
}

/// A gap that is being filled.
struct Open {
    gap: Gap,
    from: Bound<String>,
    found: u64,
    failures: usize,
    step: Step,
}

enum Step {
    /// The store is to be asked at this time, and when there is room.
    Due(Instant),
    Asking(JoinHandle<Result<Vec<Event>, BackfillError>>),
}

impl<'a> Backlog<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Backlog {
            shared,
            open: None,
            give_up: None,
        }
    }

    /// Nothing comes from the store any more for which the buffer has to wait.
    pub(super) fn is_closed(&self) -> bool {
        self.open.is_none()
    }

    /// A stopping forwarder gives half of its time to filling a gap.
    pub(super) fn stopping(&mut self, stop: Deadline) {
        if let (None, Some(until)) = (self.give_up, stop) {
            let now = Instant::now();
            self.give_up = Some(now + until.saturating_duration_since(now) / 2);
        }
    }

    /// The number of the next event to send. `None` where the buffer has to wait for the store.
    pub(super) fn next(&mut self) -> Option<u64> {
        self.ask();
        let mut stored = self.shared.stored();
        let next = stored.next();
        if stored.from(next).next().is_some() {
            return Some(next);
        }
        drop(stored);
        self.is_closed().then(|| self.shared.ring().next())
    }

    /// Takes up a gap where there is one, and asks for more of it where there is room.
    fn ask(&mut self) {
        let Some(store) = &self.shared.store else {
            return;
        };
        if self.open.is_none() {
            self.open = self.shared.ring().take_gap().map(Open::new);
        }
        let now = Instant::now();
        if self.open.is_some() && self.give_up.is_some_and(|at| at <= now) {
            self.tell();
        }
        let Some(open) = &mut self.open else { return };
        let capacity = self.shared.ring().capacity();
        let limit = PAGE.min(capacity);
        let room = self.shared.stored().len() + limit <= capacity;
        if room && matches!(open.step, Step::Due(at) if at <= now) {
            let (store, from, to) = (
                Arc::clone(store),
                open.from.clone(),
                open.gap.last_id().to_owned(),
            );
            open.step = Step::Asking(tokio::task::spawn_blocking(move || {
                let from = from.as_ref().map(String::as_str);
                let mut page = store.events(from, &to, limit)?;
                page.truncate(limit);
                Ok(page)
            }));
        }
    }

    /// Ends when [`next`](Self::next) may say something else than before. Can be dropped at any time.
    pub(super) async fn progress(&mut self) {
        let Some(open) = &mut self.open else {
            return std::future::pending().await;
        };
        let answer = tokio::select! {
            () = passed(self.give_up) => return self.tell(),
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
            let error = format!("it answered with {known}, after which it was asked to begin");
            return self.failed(&error.into());
        }
        open.failures = 0;
        open.step = Step::Due(Instant::now());
        let last = page.last().map(|event| event.id().to_owned());
        open.found += page.len() as u64;
        let settings = Arc::clone(&self.shared.settings.borrow());
        let mut stored = self.shared.stored();
        stored.resize(settings.config.buffer_size);
        for mut event in page {
            event.bound(settings.config.message_size());
            stored.push(&mut event);
        }
        drop(stored);
        match last {
            Some(last) if last != open.gap.last_id() => open.from = Bound::Excluded(last),
            _ => self.tell(),
        }
    }

    fn failed(&mut self, error: &BackfillError) {
        let Some(open) = &mut self.open else { return };
        let wait = RETRIES.get(open.failures);
        open.failures += 1;
        match wait {
            Some(wait) => {
                tracing::warn!(target: "cap_syslog", %error, "the store of audit events cannot fill a gap yet");
                open.step = Step::Due(Instant::now() + *wait);
            }
            None => {
                tracing::warn!(target: "cap_syslog", %error, "the store of audit events cannot fill a gap; the relay gets a record of it");
                self.tell();
            }
        }
    }

    /// Leaves the gap, with a record of what the store did not have.
    fn tell(&mut self) {
        let Some(open) = self.open.take() else { return };
        match open.gap.without(open.found) {
            Some(missing) => self.shared.ring().report(missing),
            None => {
                tracing::info!(target: "cap_syslog", events = open.found, "a gap was filled from the store of audit events");
            }
        }
    }
}

impl Open {
    fn new(gap: Gap) -> Self {
        Open {
            from: Bound::Included(gap.first_id().to_owned()),
            gap,
            found: 0,
            failures: 0,
            step: Step::Due(Instant::now()),
        }
    }

    /// The store's answer; none, when it is time to ask it.
    async fn answer(&mut self) -> Option<Result<Vec<Event>, BackfillError>> {
        match &mut self.step {
            Step::Due(at) if *at <= Instant::now() => std::future::pending().await,
            Step::Due(at) => {
                tokio::time::sleep_until((*at).into()).await;
                None
            }
            Step::Asking(answer) => Some(
                answer
                    .await
                    .unwrap_or_else(|panicked| Err(io::Error::other(panicked).into())),
            ),
        }
    }
}
