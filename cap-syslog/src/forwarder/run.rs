//! The thread's loop: connects, forwards until the connection ends, waits, and connects again,
//! until it is stopped.

use std::pin::pin;
use std::time::{Duration, Instant};

use cap_egress::worker::passed;

use super::control::{Command, Control};
use super::session::{End, SessionState};
use super::shared::Shared;
use super::{stream, udp};
use crate::config::{Relay, Transport};
use crate::relay::{Link, RelayError, Settings};

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// During a search for a poison event, the relay does accept connections.
const MAX_SEARCH_BACKOFF: Duration = Duration::from_millis(500);

pub(super) async fn run(shared: &Shared, mut control: Control) {
    let mut backoff = FIRST_BACKOFF;
    let mut session = SessionState::new(shared);
    // The first relay to try.
    let mut rank = 0;
    loop {
        let until = control.stop();
        if until.is_some_and(|until| until <= Instant::now() || shared.is_empty()) {
            return;
        }
        let settings = control.settings();
        let connected = {
            let mut connecting = pin!(connect(shared, &settings, rank));
            loop {
                let until = control.stop();
                tokio::select! {
                    connected = &mut connecting => break Some(connected),
                    () = passed(until) => return,
                    command = control.changed() => {
                        if command == Command::Reconfigure {
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
            let failback = pin!(failback(shared, &settings, at));
            let (control, session) = (&mut control, &mut session);
            let end = match link {
                Link::Stream(stream, encryption) => {
                    let socket = (stream, encryption);
                    stream::forward(shared, &settings, socket, control, session, failback).await
                }
                Link::Datagrams(socket) => {
                    udp::forward(shared, &settings, socket, control, session, failback).await
                }
            };
            shared.rewind();
            let progress = shared.delivered() > delivered;
            if progress {
                backoff = FIRST_BACKOFF;
            }
            rank = 0;
            match end {
                End::Finished => {
                    backoff = FIRST_BACKOFF;
                    continue;
                }
                End::Broken(error) => {
                    // A relay that accepts connections and takes no event is no better than one
                    // that is away.
                    if !progress {
                        rank = at + 1;
                    }
                    shared.failed(error);
                }
            }
        }

        let until = control.stop();
        if until.is_some() {
            // Little time is left, and perhaps nothing to do.
            backoff = FIRST_BACKOFF;
            if shared.is_empty() {
                return;
            }
        }
        if session.poison.is_searching() {
            backoff = backoff.min(MAX_SEARCH_BACKOFF);
        }
        tokio::select! {
            () = tokio::time::sleep(jittered(backoff)) => {}
            () = passed(until) => return,
            command = control.changed() => {
                if command == Command::Reconfigure {
                    (backoff, rank) = (FIRST_BACKOFF, 0);
                    continue;
                }
            }
        }
        backoff = (backoff * 2).min(MAX_BACKOFF);
    }
}

/// Tries each relay once, in order, beginning with this one.
async fn connect(
    shared: &Shared,
    settings: &Settings,
    rank: usize,
) -> Option<(usize, Relay, Link)> {
    let relays: Vec<_> = settings.config.relays().enumerate().collect();
    let first = rank % relays.len();
    let (before, from) = relays.split_at(first);
    for (at, relay) in from.iter().chain(before) {
        match Link::open(settings, &shared.guard, relay).await {
            Ok(link) => return Some((*at, (*relay).clone(), link)),
            Err(error) => shared.failed(RelayError::connecting(&error)),
        }
    }
    None
}

/// Waits until the connection to the relay at this place of the list should end: a relay further up
/// accepts connections again, or the address of datagrams is due to be resolved and checked again.
async fn failback(shared: &Shared, settings: &Settings, at: usize) {
    loop {
        tokio::time::sleep(settings.config.failback.get()).await;
        if matches!(settings.config.transport, Transport::Udp) {
            return;
        }
        for relay in settings.config.relays().take(at) {
            if Link::open(settings, &shared.guard, relay).await.is_ok() {
                return;
            }
        }
    }
}

/// Between half and all of `backoff`, so that many processes do not reconnect at once.
fn jittered(backoff: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let random = RandomState::new().hash_one(0) % 1000;
    backoff.mul_f64(0.5 + random as f64 / 2000.0)
}
