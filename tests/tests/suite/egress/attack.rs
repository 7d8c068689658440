//! The attacks of the table, and the place where they happen.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Mutex;

use cap_egress::{Guard, Policy, Resolve, ResolveFuture};
use cap_tests::{Authority, LONG, until_async};

use super::pipe::{Account, Pipe, Receiver, Transport};

/// Where the proxy of the environment listens.
pub(super) const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);

/// What somebody tries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attack {
    /// A name whose first answer is allowed, and whose next one, when the pipe connects again, is not.
    Rebinding,
    /// The reverse: the pipe must not hold the first refusal against the name, nor reach what was refused.
    RebindingBack,
    /// Both addresses in one answer, the allowed one first.
    MixedAnswers,
    /// An allowed collector that answers 307 with a blocked location.
    Redirect,
    /// A blocked IPv4 address as an IPv4-mapped IPv6 address.
    MappedTarget,
    /// The same of a metadata service, where no listener can stand.
    MappedMetadata,
}

impl Attack {
    pub(super) const ALL: [Self; 6] = [
        Self::Rebinding,
        Self::RebindingBack,
        Self::MixedAnswers,
        Self::Redirect,
        Self::MappedTarget,
        Self::MappedMetadata,
    ];

    /// Why there is no such attack.
    pub(super) fn makes_no_sense_through(self, transport: Transport) -> Option<&'static str> {
        match (self, transport) {
            (
                Self::Redirect,
                Transport::SyslogTcp | Transport::SyslogTls | Transport::SyslogUdp,
            ) => Some("a syslog relay answers nothing"),
            _ => None,
        }
    }

    pub(super) async fn run(self, transport: Transport) {
        let (allowed, blocked) = (Site::ALLOWED, Site::BLOCKED);
        let here: &[&[IpAddr]] = match self {
            Self::Rebinding => &[&[allowed], &[blocked]],
            Self::RebindingBack => &[&[blocked], &[allowed]],
            Self::MixedAnswers => &[&[allowed, blocked]],
            _ => &[&[allowed]],
        };
        let policy = Policy::default().with_denied(vec!["127.0.0.2/32".parse().expect("a range")]);
        let site = Site::start(transport, policy, here).await;
        match self {
            Self::Rebinding => {
                let pipe = site.pipe(Site::NAME);
                pipe.send("before");
                site.receiver.receives("before").await;
                pipe.says(|account| account.delivered == 1).await;
                let Site {
                    receiver,
                    blocked,
                    guard,
                    ..
                } = site;
                receiver.stop().await;
                if transport == Transport::SyslogUdp {
                    pipe.send("finds the port closed, and is lost");
                    until_async("a denial", LONG, async || denials(&guard) >= 1).await;
                }
                let delivered = pipe.account().delivered;
                pipe.send("after");
                let account = refused(&pipe, &guard, &blocked).await;
                assert_eq!(account.delivered, delivered);
                pipe.shutdown();
            }
            Self::RebindingBack => {
                let pipe = site.pipe(Site::NAME);
                pipe.send("before");
                until_async("a denial", LONG, async || denials(&site.guard) == 1).await;
                pipe.says(|account| !account.last_error.is_empty()).await;
                pipe.send("after");
                site.receiver.receives("after").await;
                assert!(site.blocked.is_untouched(), "{transport:?}");
                assert_eq!(denials(&site.guard), 1);
                pipe.shutdown();
            }
            Self::MixedAnswers => site.refuses(Site::NAME).await,
            Self::MappedTarget => site.refuses("::ffff:127.0.0.2").await,
            Self::MappedMetadata => site.refuses("::ffff:169.254.169.254").await,
            Self::Redirect => {
                let pipe = site.pipe(Site::NAME);
                site.receiver.redirect(site.blocked.addr());
                pipe.send("redirected");
                pipe.says(|account| account.undelivered == 1).await;
                assert!(site.blocked.is_untouched(), "{transport:?}");
                // It was not even tried.
                assert_eq!(denials(&site.guard), 0);
                pipe.send("after");
                site.receiver.receives("after").await;
                pipe.shutdown();
            }
        }
    }
}

/// A pipe's surroundings: an allowed receiver, on the same port of another address one that must not be reached, and
/// the guard between them with its own answers to [`NAME`](Self::NAME).
pub(super) struct Site {
    transport: Transport,
    authority: Authority,
    pub(super) receiver: Receiver,
    pub(super) blocked: Tripwire,
    guard: Guard,
}

impl Site {
    pub(super) const NAME: &str = "relay.test";
    pub(super) const ALLOWED: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    pub(super) const BLOCKED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

    pub(super) async fn start(transport: Transport, policy: Policy, answers: &[&[IpAddr]]) -> Self {
        let authority = Authority::new();
        let receiver = Receiver::start(transport, &authority).await;
        let blocked = Tripwire::set((Self::BLOCKED, receiver.addr().port()).into());
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        let guard = Guard::builder(policy)
            .resolver(Answers(Mutex::new(answers)))
            .build();
        Self {
            transport,
            authority,
            receiver,
            blocked,
            guard,
        }
    }

    pub(super) fn pipe(&self, host: &str) -> Pipe {
        let port = self.receiver.addr().port();
        let guard = self.guard.clone();
        Pipe::start(self.transport, host, port, guard, &self.authority)
    }

    async fn refuses(&self, host: &str) {
        let pipe = self.pipe(host);
        pipe.send("refused");
        let account = refused(&pipe, &self.guard, &self.blocked).await;
        assert_eq!(account.delivered, 0);
        assert!(self.receiver.is_untouched());
        pipe.shutdown();
    }
}

/// The pipe says that the policy refused, the guard counted it, nothing was reached and nothing is given away.
async fn refused(pipe: &Pipe, guard: &Guard, blocked: &Tripwire) -> Account {
    let by_policy = |account: &Account| account.last_error.contains("egress policy");
    let account = pipe
        .says(|account| account.undelivered == 1 && by_policy(account))
        .await;
    assert!(denials(guard) >= 1);
    assert!(blocked.is_untouched());
    // As configured it may be shown; what a name resolved to may not.
    let shown = account.last_error.replace("::ffff:127.0.0.2", "");
    assert!(!shown.contains("127.0.0."), "{account:?}");
    account
}

fn denials(guard: &Guard) -> u64 {
    guard.denials().iter().map(|(_, count)| count).sum()
}

/// Gives each question the next answer; the last one again and again.
struct Answers(Mutex<VecDeque<Vec<IpAddr>>>);

impl Resolve for Answers {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> ResolveFuture<'a> {
        let mut answers = self.0.lock().expect("no test panicked");
        let answer = match answers.len() {
            1 => answers.front().cloned(),
            _ => answers.pop_front(),
        };
        Box::pin(async { answer.ok_or_else(|| io::Error::other("no answer")) })
    }
}

/// A port for connections and datagrams that can say whether anyone came.
pub(super) struct Tripwire(TcpListener, UdpSocket);

impl Tripwire {
    /// Listens there; port 0 is any.
    pub(super) fn set(addr: SocketAddr) -> Self {
        let listener = TcpListener::bind(addr).expect("a port");
        let addr = listener.local_addr().expect("an address");
        let socket = UdpSocket::bind(addr).expect("a port");
        listener.set_nonblocking(true).expect("a mode");
        socket.set_nonblocking(true).expect("a mode");
        Self(listener, socket)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }

    /// What is sent on loopback has arrived when the sender goes on, so there is nothing to wait for.
    pub(super) fn is_untouched(&self) -> bool {
        let nothing = |result: io::Result<()>| {
            result.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
        };
        nothing(self.0.accept().map(drop)) && nothing(self.1.recv(&mut [0]).map(drop))
    }

    pub(super) async fn is_reached(&self) {
        until_async("a connection", LONG, async || !self.is_untouched()).await;
    }
}
