//! The race between several addresses of one name (RFC 8305, "happy eyeballs"), in which a silent
//! address costs little.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::open;

/// Connection Attempt Delay, the value that RFC 8305, section 5, recommends.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// No more are dialed, so that a name server cannot make this host try a whole network.
const MOST_ATTEMPTS: usize = 16;

/// Connects to the address that answers first.
///
/// If all fail, the error is that of the first to fail. `failure` holds that error as soon as it is
/// known, so that a caller whose time runs out can report it.
pub(super) async fn tcp(
    addresses: &[SocketAddr],
    failure: &mut Option<io::Error>,
) -> io::Result<TcpStream> {
    first(addresses, failure, open::tcp).await
}

async fn first<T, F: Future<Output = io::Result<T>>>(
    addresses: &[SocketAddr],
    failure: &mut Option<io::Error>,
    open: impl Fn(SocketAddr) -> F,
) -> io::Result<T> {
    let untried = families_in_turn(addresses);
    let mut untried = untried.into_iter().take(MOST_ATTEMPTS);
    let mut attempts = Attempts(Vec::new());
    loop {
        if let Some(address) = untried.next() {
            attempts.0.push(Box::pin(open(address)));
        } else if attempts.0.is_empty() {
            let nothing_tried = || io::ErrorKind::AddrNotAvailable.into();
            return Err(failure.take().unwrap_or_else(nothing_tried));
        }
        let any = poll_fn(|cx| attempts.poll_any(cx));
        let ended = match untried.len() {
            0 => any.await,
            _ => match timeout(ATTEMPT_DELAY, any).await {
                Ok(ended) => ended,
                Err(_) => continue,
            },
        };
        match ended {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                failure.get_or_insert(error);
            }
        }
    }
}

/// The attempts in progress.
struct Attempts<F>(Vec<Pin<Box<F>>>);

impl<T, F: Future<Output = io::Result<T>>> Attempts<F> {
    /// The outcome of one attempt that has ended, which is removed.
    fn poll_any(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        for at in 0..self.0.len() {
            if let Poll::Ready(outcome) = self.0[at].as_mut().poll(cx) {
                drop(self.0.remove(at));
                return Poll::Ready(outcome);
            }
        }
        Poll::Pending
    }
}

/// The addresses in their order, but with the families taking turns while both last (RFC 8305,
/// section 4).
fn families_in_turn(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (first, second): (Vec<SocketAddr>, Vec<SocketAddr>) =
        addresses.iter().copied().partition(|address| address.is_ipv4() == first_is_v4);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut in_turn = Vec::with_capacity(addresses.len());
    while in_turn.len() < addresses.len() {
        in_turn.extend(first.next());
        in_turn.extend(second.next());
    }
    in_turn
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::Mutex;

    use tokio::time::{Instant, sleep};

    /// What becomes of an attempt, after so many milliseconds.
    #[derive(Clone, Copy)]
    enum Fate {
        Connects(u64),
        Refuses(u64),
        IsSilent,
    }

    use Fate::{Connects, IsSilent, Refuses};

    /// Which address connected, and when each was dialed.
    async fn race(fates: &[(&str, Fate)]) -> (Result<String, String>, Vec<(String, u64)>) {
        let addresses: Vec<SocketAddr> =
            fates.iter().map(|(address, _)| address.parse().unwrap()).collect();
        let start = Instant::now();
        let dialed = Mutex::new(Vec::new());
        let open = |address: SocketAddr| {
            let at = u64::try_from(start.elapsed().as_millis()).unwrap();
            dialed.lock().unwrap().push((address.ip().to_string(), at));
            let place = addresses.iter().position(|other| *other == address).unwrap();
            let fate = fates[place].1;
            async move {
                match fate {
                    Connects(after) => {
                        sleep(Duration::from_millis(after)).await;
                        Ok(address.ip().to_string())
                    }
                    Refuses(after) => {
                        sleep(Duration::from_millis(after)).await;
                        Err(io::Error::other(address.ip().to_string()))
                    }
                    IsSilent => std::future::pending().await,
                }
            }
        };
        let connected = first(&addresses, &mut None, open).await;
        (connected.map_err(|error| error.to_string()), dialed.into_inner().unwrap())
    }

    fn dialed(at: &[(&str, u64)]) -> Vec<(String, u64)> {
        at.iter().map(|(address, at)| ((*address).to_owned(), *at)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_costs_a_quarter_of_a_second() {
        let (connected, order) =
            race(&[("[2001:db8::1]:1", IsSilent), ("192.0.2.1:1", Connects(20))]).await;
        assert_eq!(connected.unwrap(), "192.0.2.1");
        assert_eq!(order, dialed(&[("2001:db8::1", 0), ("192.0.2.1", 250)]));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_is_dialed_as_soon_as_one_fails() {
        let (connected, order) =
            race(&[("192.0.2.1:1", Refuses(10)), ("192.0.2.2:1", Connects(10))]).await;
        assert_eq!(connected.unwrap(), "192.0.2.2");
        assert_eq!(order, dialed(&[("192.0.2.1", 0), ("192.0.2.2", 10)]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_address_may_still_be_the_first_to_connect() {
        let (connected, order) =
            race(&[("192.0.2.1:1", Connects(300)), ("192.0.2.2:1", Connects(100))]).await;
        assert_eq!(connected.unwrap(), "192.0.2.1");
        assert_eq!(order.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_connects_at_once_leaves_the_others_alone() {
        let (_, order) = race(&[("192.0.2.1:1", Connects(5)), ("192.0.2.2:1", Connects(0))]).await;
        assert_eq!(order, dialed(&[("192.0.2.1", 0)]));
    }

    #[tokio::test(start_paused = true)]
    async fn of_failures_only_the_first_is_reported() {
        let (connected, _) =
            race(&[("192.0.2.1:1", Refuses(400)), ("192.0.2.2:1", Refuses(10))]).await;
        assert_eq!(connected.unwrap_err(), "192.0.2.2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_does_not_decide_how_much_of_a_network_is_dialed() {
        let addresses: Vec<String> = (0..100).map(|n| format!("192.0.2.{n}:1")).collect();
        let fates: Vec<_> = addresses.iter().map(|a| (a.as_str(), Refuses(0))).collect();
        assert_eq!(race(&fates).await.1.len(), MOST_ATTEMPTS);
    }

    #[test]
    fn families_take_turns_from_the_first_answer_on() {
        let parse = |written: &[&str]| -> Vec<SocketAddr> {
            written.iter().map(|address| address.parse().unwrap()).collect()
        };
        assert_eq!(
            families_in_turn(&parse(&["[::a]:1", "[::b]:1", "[::c]:1", "1.0.0.1:1"])),
            parse(&["[::a]:1", "1.0.0.1:1", "[::b]:1", "[::c]:1"])
        );
        assert_eq!(families_in_turn(&[]), []);
    }
}
