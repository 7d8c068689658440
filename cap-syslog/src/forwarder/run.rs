//! Connects, forwards until the connection ends, and again, until stopped.

use std::pin::pin;
use std::time::{Duration, Instant};

use super::backlog::Backlog;
use super::datagrams::{self, Before};
use super::orders::{Order, Orders};
use super::settings::{Link, Settings};
use super::suspicion::Suspicion;
use super::{End, Shared, connection};
use crate::config::{Relay, Transport};
use crate::relay_error::RelayError;
use crate::stop::passed;

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// While a record is looked for that the relay refuses, it does accept connections.
const LONGEST_SEARCH_BACKOFF: Duration = Duration::from_millis(500);

/// What outlasts a connection.
pub(super) struct Lasting<'a> {
    pub(super) backlog: Backlog<'a>,
    pub(super) suspicion: Suspicion,
    pub(super) before: Before,
}

pub(super) async fn run(shared: &Shared, mut orders: Orders) {
    let mut backoff = FIRST_BACKOFF;
    let mut lasting = Lasting {
        backlog: Backlog::new(shared),
        suspicion: Suspicion::none(),
        before: Before::Fine,
    };
    // The first relay to try.
    let mut rank = 0;
    loop {
        let until = orders.stop();
        if until.is_some_and(|until| until <= Instant::now() || shared.is_empty()) {
            return;
        }
        let settings = orders.settings();
        let connected = {
            let mut connecting = pin!(connect(shared, &settings, rank));
            loop {
                let until = orders.stop();
                tokio::select! {
                    connected = &mut connecting => break Some(connected),
                    () = passed(until) => return,
                    order = orders.changed() => {
                        if order == Order::Settings {
                            break None;
                        }
                    }
                }
            }
        };
        let Some(connected) = connected else {
            (backoff, rank) = (FIRST_BACKOFF, 0);
            continue;
        };
        if let Some((at, relay, link)) = connected {
            shared.connected(&relay);
            let delivered = shared.delivered();
            let recall = pin!(recall(shared, &settings, at));
            let end = match link {
                Link::Stream(stream, wire) => {
                    connection::forward(
                        shared,
                        &settings,
                        stream,
                        wire,
                        &mut orders,
                        &mut lasting,
                        recall,
                    )
                    .await
                }
                Link::Datagrams(socket) => {
                    datagrams::forward(shared, &settings, socket, &mut orders, &mut lasting, recall)
                        .await
                }
            };
            shared.rewind();
            let progress = shared.delivered() > delivered;
            if progress {
                backoff = FIRST_BACKOFF;
            }
            // A relay that takes connections and nothing else is as good as one that takes none.
            rank = 0;
            match end {
                End::Left => {
                    backoff = FIRST_BACKOFF;
                    continue;
                }
                End::Broken(problem) => {
                    if !progress {
                        rank = at + 1;
                    }
                    shared.failed(problem);
                }
            }
        }

        let until = orders.stop();
        if until.is_some() {
            // There is little time left, and perhaps nothing to do.
            backoff = FIRST_BACKOFF;
            if shared.is_empty() {
                return;
            }
        }
        if lasting.suspicion.is_narrowing() {
            backoff = backoff.min(LONGEST_SEARCH_BACKOFF);
        }
        tokio::select! {
            () = tokio::time::sleep(jittered(backoff)) => {}
            () = passed(until) => return,
            order = orders.changed() => {
                if order == Order::Settings {
                    (backoff, rank) = (FIRST_BACKOFF, 0);
                    continue;
                }
            }
        }
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
    }
}

/// Tries the relays in order, from this one on and round once.
async fn connect(
    shared: &Shared,
    settings: &Settings,
    rank: usize,
) -> Option<(usize, Relay, Link)> {
    let relays: Vec<_> = settings.config.relays().enumerate().collect();
    let first = rank % relays.len();
    let (before, from) = relays.split_at(first);
    for (at, relay) in from.iter().chain(before) {
        match settings.connect(&shared.guard, relay).await {
            Ok(link) => return Some((*at, relay.clone(), link)),
            Err(error) => shared.failed(RelayError::connecting(&error)),
        }
    }
    None
}

/// Ends when the relay at this place of the list should be left: for one further up that accepts connections again, or to
/// resolve and judge the address of datagrams anew.
async fn recall(shared: &Shared, settings: &Settings, at: usize) {
    loop {
        tokio::time::sleep(settings.config.failback).await;
        if matches!(settings.config.transport, Transport::Udp) {
            return;
        }
        for relay in settings.config.relays().take(at) {
            if settings.connect(&shared.guard, &relay).await.is_ok() {
                return;
            }
        }
    }
}

/// Between half and all of `backoff`, so that a fleet does not reconnect in step.
fn jittered(backoff: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let random = RandomState::new().hash_one(0) % 1000;
    backoff.mul_f64(0.5 + random as f64 / 2000.0)
}
