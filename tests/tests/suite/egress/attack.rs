//! The attacks of the table, and the place where they happen.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Mutex;

use cap_egress::{Guard, Policy, Resolve, ResolveFuture};
use cap_tests::{Authority, LONG, until_async};

use super::pipeline::{Account, Pipeline, Receiver, Transport};

/// Where the proxy of the environment listens.
pub(super) const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);

/// An attack.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attack {
    /// A name whose first answer is allowed, and whose answer at the next connect is not.
    Rebinding,
    /// The reverse: the pipeline must neither remember the first refusal nor reach the refused
    /// address.
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
                let pipeline = site.pipeline(Site::NAME);
                pipeline.send("before");
                site.receiver.receives("before").await;
                pipeline.says(|account| account.delivered == 1).await;
                let Site { receiver, blocked, guard, .. } = site;
                receiver.stop().await;
                if transport == Transport::SyslogUdp {
                    pipeline.send("finds the port closed, and is lost");
                    until_async("a denial", LONG, async || denials(&guard) >= 1).await;
                }
                let delivered = pipeline.account().delivered;
                pipeline.send("after");
                let account = refused(&pipeline, &guard, &blocked).await;
                assert_eq!(account.delivered, delivered);
                pipeline.shutdown();
            }
            Self::RebindingBack => {
                let pipeline = site.pipeline(Site::NAME);
                pipeline.send("before");
                until_async("a denial", LONG, async || denials(&site.guard) == 1).await;
                pipeline.says(|account| !account.last_error.is_empty()).await;
                pipeline.send("after");
                site.receiver.receives("after").await;
                assert!(site.blocked.is_untouched(), "{transport:?}");
                assert_eq!(denials(&site.guard), 1);
                pipeline.shutdown();
            }
            Self::MixedAnswers => site.refuses(Site::NAME).await,
            Self::MappedTarget => site.refuses("::ffff:127.0.0.2").await,
            Self::MappedMetadata => site.refuses("::ffff:169.254.169.254").await,
            Self::Redirect => {
                let pipeline = site.pipeline(Site::NAME);
                site.receiver.redirect(site.blocked.addr());
                pipeline.send("redirected");
                pipeline.says(|account| account.undelivered == 1).await;
                assert!(site.blocked.is_untouched(), "{transport:?}");
                // It was not even tried.
                assert_eq!(denials(&site.guard), 0);
                pipeline.send("after");
                site.receiver.receives("after").await;
                pipeline.shutdown();
            }
        }
    }
}

/// What surrounds a pipeline: an allowed receiver, a forbidden one on the same port of another
/// address, and the guard with its own answers to [`NAME`](Self::NAME).
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
        let guard = Guard::builder(policy).resolver(Answers(Mutex::new(answers))).build();
        Self { transport, authority, receiver, blocked, guard }
    }

    pub(super) fn pipeline(&self, host: &str) -> Pipeline {
        let port = self.receiver.addr().port();
        let guard = self.guard.clone();
        Pipeline::start(self.transport, host, port, guard, &self.authority)
    }

    async fn refuses(&self, host: &str) {
        let pipeline = self.pipeline(host);
        pipeline.send("refused");
        let account = refused(&pipeline, &self.guard, &self.blocked).await;
        assert_eq!(account.delivered, 0);
        assert!(self.receiver.is_untouched());
        pipeline.shutdown();
    }
}

/// The pipeline reports the policy's refusal, the guard counted it, and nothing was reached.
async fn refused(pipeline: &Pipeline, guard: &Guard, blocked: &Tripwire) -> Account {
    let by_policy = |account: &Account| account.last_error.contains("egress policy");
    let account = pipeline.says(|account| account.undelivered == 1 && by_policy(account)).await;
    assert!(denials(guard) >= 1);
    assert!(blocked.is_untouched());
    // As configured it may be shown; what a name resolved to may not.
    let shown = account.last_error.replace("::ffff:127.0.0.2", "");
    assert!(!shown.contains("127.0.0."), "{account:?}");
    account
}

fn denials(guard: &Guard) -> u64 {
    guard.denials().values().sum()
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

    /// A send on loopback returns after the arrival: there is nothing to wait for.
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
