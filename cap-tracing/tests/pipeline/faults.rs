//! Every fault of a collector, over both protocols, with the tracer used inside a runtime and
//! outside of any: the accounting closes, a shutdown keeps its deadline, and the report says what
//! was lost and why.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use cap_egress::Connector;
use cap_testkit::{Background, Fault, OtlpReceiver, until};
use cap_tracing::Tracer;
use socket2::{Domain, Socket, Type};
use tokio::runtime::{Builder, Runtime};

use crate::support::{
    Collector, LONG, closes, collector, connector, job, jobs, settles, tracer_to, unavailable,
};

/// Spans of a batch. All of them end before the shutdown.
const SPANS: u64 = 5;
/// The deadline of a shutdown during a lasting fault. It is shorter than any backoff, so no further
/// attempt begins.
const SHORT: Duration = Duration::from_millis(200);

/// What is wrong with the collector.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Nobody listens.
    Refused,
    /// The peer sends no packet back, not even to open a connection.
    Blackholed,
    /// Every request meets this fault.
    Always(Fault),
    /// The first request meets this fault.
    Once(Fault),
    /// The collector stops with its connections, and comes back while spans wait for it.
    Restart,
}

/// The expected outcome of the spans.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Exported,
    /// The collector rejects one.
    Rejected,
    /// They fail with the class that the report names.
    Lost(&'static str),
}

const TROUBLES: [(Trouble, Outcome); 11] = [
    (Trouble::Refused, Outcome::Lost("network")),
    (Trouble::Blackholed, Outcome::Lost("network")),
    (Trouble::Always(Fault::status(500)), Outcome::Lost("io_transient")),
    (Trouble::Always(unavailable(3600)), Outcome::Lost("io_transient")),
    (Trouble::Once(unavailable(1)), Outcome::Exported),
    (Trouble::Always(Fault::status(429)), Outcome::Lost("io_transient")),
    (Trouble::Once(Fault::Late(SHORT)), Outcome::Exported),
    (Trouble::Always(Fault::Hang), Outcome::Lost("network")),
    (Trouble::Once(Fault::Partial { rejected: 1 }), Outcome::Rejected),
    (Trouble::Always(Fault::Reset), Outcome::Lost("network")),
    (Trouble::Restart, Outcome::Exported),
];

/// Runs one combination.
type Caller = fn(&(dyn Fn() + Sync));

/// Where the tracer is started, used and shut down.
const CALLERS: [(&str, Caller); 5] = [
    ("no runtime", |cell| cell()),
    ("current_thread", |cell| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { cell() });
    }),
    ("multi_thread", |cell| {
        multi_thread().block_on(async { cell() });
    }),
    ("block_in_place", |cell| {
        multi_thread().block_on(async { tokio::task::block_in_place(cell) });
    }),
    ("nested", |cell| {
        // A runtime inside a blocking task of another.
        multi_thread().block_on(async {
            tokio::task::block_in_place(|| multi_thread().block_on(async { cell() }));
        });
    }),
];

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn the_accounting_closes_and_a_shutdown_keeps_its_deadline() {
    let connector = connector();
    std::thread::scope(|scope| {
        for (trouble, outcome) in TROUBLES {
            for scheme in ["http", "grpc"] {
                for (caller, run) in CALLERS {
                    let connector = &connector;
                    let cell = move || {
                        let name = format!("{trouble:?} over {scheme} from {caller}");
                        cell(&name, trouble, outcome, scheme, connector.clone());
                    };
                    scope.spawn(move || run(&cell));
                }
            }
        }
    });
}

fn cell(name: &str, trouble: Trouble, outcome: Outcome, scheme: &str, connector: Connector) {
    let (address, collector, _silent) = set_up(trouble);
    let tracer = tracer_to(&format!("{scheme}://{address}"), connector, |config| {
        config.batch_size = (SPANS as usize).try_into().unwrap();
        config.batch_delay = LONG;
        // A late answer must not end as a timeout.
        if let Trouble::Blackholed | Trouble::Always(Fault::Hang) = trouble {
            config.timeout = SHORT.try_into().unwrap();
        }
    });
    let mut ended = SPANS;
    jobs(&tracer, SPANS as usize);
    let _collector = if let Trouble::Restart = trouble {
        settles(&tracer);
        drop(collector);
        jobs(&tracer, SPANS as usize);
        ended += SPANS;
        is_in_trouble(&tracer);
        Some(Background::start(move || OtlpReceiver::start_on(address)).unwrap())
    } else {
        collector
    };
    if let Outcome::Lost(_) = outcome {
        is_in_trouble(&tracer);
    }
    let open = job(&tracer, "open");
    let deadline = match outcome {
        Outcome::Lost(_) => SHORT,
        _ => LONG,
    };
    let start = Instant::now();
    let stats = tracer.shutdown(deadline);
    let took = start.elapsed();
    assert!(took < deadline + Duration::from_secs(2), "{name}: {took:?}");
    closes(&stats);
    let became = (stats.exported, stats.rejected, stats.dropped, stats.failed, stats.pending);
    match outcome {
        Outcome::Exported => assert_eq!(became, (ended, 0, 0, 0, 1), "{name}: {stats}"),
        Outcome::Rejected => assert_eq!(became, (ended - 1, 1, 0, 0, 1), "{name}: {stats}"),
        Outcome::Lost(class) => {
            assert_eq!(became, (0, 0, 0, ended, 1), "{name}: {stats}");
            let lost = stats.failed_by.to_string();
            assert_eq!(lost, format!("{ended} {class}"), "{name}");
            let report = stats.to_string();
            assert!(report.contains(&format!("{ended} failed [{lost}]")), "{report}");
            assert!(stats.last_error.is_some(), "{name}");
        }
    }
    drop(open);
    let stats = tracer.stats();
    assert_eq!((stats.dropped, stats.pending), (1, 0), "{name}: {stats}");
    closes(&stats);
}

#[test]
fn a_refusal_is_of_its_own_class_and_so_is_what_was_never_sent() {
    for scheme in ["http", "grpc"] {
        for (fault, class) in [
            (Fault::status(401), "1 auth"),
            (Fault::status(403), "1 auth"),
            (Fault::status(400), "1 io_permanent"),
        ] {
            let (_collector, address) = collector([fault]);
            let tracer = tracer_to(&format!("{scheme}://{address}"), connector(), |_| {});
            jobs(&tracer, 1);
            let stats = tracer.shutdown(LONG);
            assert_eq!(stats.failed_by.to_string(), class, "{scheme} {fault:?}");
            closes(&stats);
        }
        let (collector, address) = collector([Fault::Hang]);
        let tracer = tracer_to(&format!("{scheme}://{address}"), connector(), |config| {
            config.batch_size = 1.try_into().unwrap();
        });
        jobs(&tracer, 3);
        until("a request", LONG, || !collector.requests().is_empty());
        let stats = tracer.shutdown(SHORT);
        assert_eq!(stats.failed_by.to_string(), "1 network, 2 unsent");
        closes(&stats);
    }
}

/// The endpoint to send to, the collector behind it, and what keeps its port silent.
fn set_up(trouble: Trouble) -> (SocketAddr, Option<Collector>, Option<Silent>) {
    let faults = match trouble {
        Trouble::Refused | Trouble::Blackholed => {
            let silent = Silent::new(matches!(trouble, Trouble::Blackholed));
            return (silent.address, None, Some(silent));
        }
        Trouble::Restart => Vec::new(),
        Trouble::Always(fault) => vec![fault; 1000],
        Trouble::Once(fault) => vec![fault],
    };
    let (collector, address) = collector(faults);
    (address, Some(collector), None)
}

/// Waits for the first failed attempt.
fn is_in_trouble(tracer: &Tracer) {
    until("an error of the export", LONG, || tracer.stats().last_error.is_some());
}

/// A port without an answer: one that is bound and does not listen, or one whose backlog is full,
/// so that the kernel drops further connections.
struct Silent {
    address: SocketAddr,
    _socket: Socket,
    _waiting: Vec<TcpStream>,
}

impl Silent {
    #[expect(
        clippy::disallowed_methods,
        reason = "the connections fill the backlog of this very socket"
    )]
    fn new(listens: bool) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        let mut waiting = Vec::new();
        if listens {
            socket.listen(0).unwrap();
            let open = || TcpStream::connect_timeout(&address, Duration::from_millis(50));
            waiting.extend(std::iter::from_fn(|| open().ok()));
        }
        Self { address, _socket: socket, _waiting: waiting }
    }
}
