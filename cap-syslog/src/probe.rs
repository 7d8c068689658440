//! The probe: sends one real record over the path that events take, and watches what the relay
//! does.
//!
//! An open connection proves little: a relay with another framing, or one that wants a client
//! certificate, lets the probe connect and write. So the probe reads for a second after the record.
//! If the relay closes, further connections find out why: whether the port speaks TLS, and whether
//! the relay accepts the record in the other framing.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cap_egress::{Guard, TlsProblem, Trust};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::config::{Config, Relay, Transport};
use crate::event::Event;
use crate::relay::{Encryption, Link, RelayError, Settings, tcp};
use crate::{Error, test_event};

mod explain;
mod report;

use explain::{broken, not_connected, rejected, silent, tls_expected};
pub use report::{ProbeCause, ProbeFailure, ProbeReport, ProbeStage, ProbeStep, ProbeVerdict};

/// The time for everything.
const LONGEST: Duration = Duration::from_millis(2900);
/// The time until the connection is open.
const CONNECT: Duration = Duration::from_millis(1500);
/// The time before the end at which the diagnosis stops.
const MARGIN: Duration = Duration::from_millis(50);
/// How long a relay may take to close on a record.
const READ: Duration = Duration::from_secs(1);
/// The time for each of the two connections of the diagnosis.
const DIAGNOSIS: Duration = Duration::from_millis(600);

/// Sends one test record to [`Config::relay`] and reports how far it came, within three seconds.
/// Needs a Tokio runtime with I/O and time, and no forwarder.
///
/// The record has the event type `syslog.test`. If the relay closes the connection, the probe may
/// send a second one in the other framing.
///
/// # Errors
///
/// When the trust store cannot be read, or a certificate of [`Tls`](crate::Tls) is wrong.
/// Everything that the relay does is in the [`ProbeReport`].
pub async fn probe(config: Config, guard: &Guard) -> Result<ProbeReport, Error> {
    Ok(run(&Settings::new(config)?, guard).await)
}

pub(crate) async fn run(settings: &Settings, guard: &Guard) -> ProbeReport {
    let config = &settings.config;
    let relay = &config.relay;
    let mut record = Vec::new();
    let event = test_event::event();
    settings.render(event.view(), &mut record);
    let steps = Steps::default();
    let end = Instant::now() + LONGEST;
    let outcome = timeout_at(end, attempt(settings, guard, relay, &event, &steps, end)).await;
    let outcome = outcome.unwrap_or_else(|_| {
        let stage = steps.current().unwrap_or(ProbeStage::Resolve);
        Err(silent(stage, relay))
    });
    let (verdict, failure) = match outcome {
        Ok(verdict) => (verdict, None),
        Err(failure) => (ProbeVerdict::Failed, Some(failure)),
    };
    ProbeReport {
        relay: relay.to_string(),
        transport: config.transport.as_str(),
        verdict,
        steps: steps.finish(),
        failure,
        record: String::from_utf8_lossy(&record).into_owned(),
    }
}

async fn attempt(
    settings: &Settings,
    guard: &Guard,
    relay: &Relay,
    event: &Event,
    steps: &Steps,
    end: Instant,
) -> Result<ProbeVerdict, ProbeFailure> {
    let observer = steps.clone();
    let observed = guard.with_observer(move |stage| observer.enter(stage.into()));
    let link = match timeout(CONNECT, Link::open(settings, &observed, relay)).await {
        Ok(Ok(link)) => link,
        Ok(Err(error)) => {
            let failure = not_connected(&error);
            if steps.current() != Some(failure.stage) {
                steps.enter(failure.stage);
            }
            return Err(failure);
        }
        Err(_) => {
            let stage = steps.current().unwrap_or(ProbeStage::Resolve);
            return Err(silent(stage, relay));
        }
    };
    steps.enter(ProbeStage::Write);
    match link {
        Link::Datagrams(socket) => {
            let mut record = Vec::new();
            settings.write(event.view(), &mut record);
            let failed = |stage, error: &io::Error| broken(stage, error);
            let sent = socket.send(&record).await;
            sent.map_err(|error| failed(ProbeStage::Write, &error))?;
            // Nothing confirms a datagram, but a closed port says so.
            match timeout(READ, socket.recv(&mut [0])).await {
                Ok(Err(error)) => Err(failed(ProbeStage::Write, &error)),
                Ok(Ok(_)) | Err(_) => Ok(ProbeVerdict::Sent),
            }
        }
        Link::Stream(mut stream, mut encryption) => {
            let taken = send(settings, event, &mut stream, &mut encryption).await;
            taken.map_err(|error| broken(ProbeStage::Write, &error))?;
            steps.enter(ProbeStage::Confirmed);
            match keeps_open(&mut stream, &mut encryption, READ).await {
                Ok(()) => {}
                Err(Closed::Tls) => return Err(tls_expected()),
                Err(Closed::Broken(problem)) if problem.tls.is_some() => {
                    return Err(rejected(problem));
                }
                Err(Closed::Broken(problem)) => {
                    let known = rejected(problem.clone());
                    let asking = diagnose(settings, guard, relay, problem);
                    let asked = timeout_at(end - MARGIN, asking).await;
                    return Err(asked.unwrap_or(known));
                }
            }
            if !matches!(tcp::unacknowledged(&stream), Ok(None | Some(0))) {
                return Err(silent(ProbeStage::Confirmed, relay));
            }
            let mut close = Vec::new();
            if encryption.close(&mut close).is_ok() {
                // Failures here do not change the verdict.
                let _ = stream.write_all(&close).await;
                let _ = stream.shutdown().await;
            }
            Ok(ProbeVerdict::Confirmed)
        }
    }
}

async fn send(
    settings: &Settings,
    event: &Event,
    stream: &mut TcpStream,
    encryption: &mut Encryption,
) -> io::Result<()> {
    let mut out = Vec::new();
    encryption.append(&mut out, |out| settings.write(event.view(), out))?;
    match timeout(READ, stream.write_all(&out)).await {
        // What the relay sent before it closed is still to be read.
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Ok(written) => written,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// How a relay ends a connection.
enum Closed {
    /// With a TLS alert, to a sender that does not speak TLS.
    Tls,
    Broken(RelayError),
}

async fn keeps_open(
    stream: &mut TcpStream,
    encryption: &mut Encryption,
    time: Duration,
) -> Result<(), Closed> {
    /// The content type of a TLS alert (RFC 8446, section 5.1).
    const ALERT: u8 = 21;

    let until = Instant::now() + time;
    let mut received = [0; 4096];
    loop {
        let Ok(read) = timeout_at(until, stream.read(&mut received)).await else {
            return Ok(());
        };
        let broken = |error: io::Error| Closed::Broken(RelayError::broken(&error));
        let read = read.map_err(broken)?;
        if read == 0 {
            return Err(Closed::Broken(RelayError::closed()));
        }
        if matches!(encryption, Encryption::None) && received[0] == ALERT {
            return Err(Closed::Tls);
        }
        let mut answer = Vec::new();
        if encryption.receive(&received[..read], &mut answer).map_err(broken)? {
            return Err(Closed::Broken(RelayError::closed()));
        }
        stream.write_all(&answer).await.map_err(broken)?;
    }
}

/// Finds out why a relay closes on the record.
async fn diagnose(
    settings: &Settings,
    guard: &Guard,
    relay: &Relay,
    problem: RelayError,
) -> ProbeFailure {
    if matches!(settings.config.transport, Transport::Tcp(_)) && speaks_tls(guard, relay).await {
        return tls_expected();
    }
    if let Some((framing, other)) = settings.with_other_framing()
        && takes(&other, guard, relay).await
    {
        return ProbeFailure {
            stage: ProbeStage::Confirmed,
            cause: ProbeCause::Framing,
            class: problem.class,
            tls: None,
            message: format!("{}, and keeps it open with the other framing", problem.message),
            hint: format!("set the framing to {framing}"),
        };
    }
    rejected(problem)
}

async fn speaks_tls(guard: &Guard, relay: &Relay) -> bool {
    let Ok(trust) = Trust::system() else {
        return false;
    };
    let shaking = guard.connect_tls(&relay.host, relay.port.get(), &trust);
    match timeout(DIAGNOSIS, shaking).await {
        Ok(Ok(_)) => true,
        // A certificate that is not trusted is still TLS.
        Ok(Err(error)) => matches!(
            error.tls_problem(),
            Some(
                TlsProblem::UnknownAuthority
                    | TlsProblem::SelfSigned
                    | TlsProblem::WrongName
                    | TlsProblem::Expired
                    | TlsProblem::NotYetValid
            )
        ),
        Err(_) => false,
    }
}

async fn takes(settings: &Settings, guard: &Guard, relay: &Relay) -> bool {
    let asking = async {
        let Ok(Link::Stream(mut stream, mut encryption)) = Link::open(settings, guard, relay).await
        else {
            return false;
        };
        send(settings, &test_event::event(), &mut stream, &mut encryption).await.is_ok()
            && keeps_open(&mut stream, &mut encryption, DIAGNOSIS / 2).await.is_ok()
    };
    timeout(DIAGNOSIS, asking).await.unwrap_or(false)
}

/// When each stage was entered.
#[derive(Clone, Debug, Default)]
struct Steps(Arc<Mutex<Vec<(ProbeStage, Instant)>>>);

impl Steps {
    fn enter(&self, stage: ProbeStage) {
        self.lock().push((stage, Instant::now()));
    }

    fn current(&self) -> Option<ProbeStage> {
        self.lock().last().map(|(stage, _)| *stage)
    }

    /// Each stage lasted until the next, and the last until now.
    fn finish(&self) -> Vec<ProbeStep> {
        let entered = self.lock();
        let ends = entered.iter().skip(1).map(|(_, at)| *at);
        let ends = ends.chain([Instant::now()]);
        let steps = entered.iter().zip(ends);
        steps.map(|((stage, start), end)| ProbeStep { stage: *stage, took: end - *start }).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(ProbeStage, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
