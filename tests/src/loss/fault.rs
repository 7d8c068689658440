//! Faults of a relay.

use crate::peers::Relay;
use std::io;
use std::time::Duration;
use tokio::process::Command;

/// How long a relay is away.
const OUTAGE: Duration = Duration::from_secs(1);

/// A fault of the relay while events flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL, and it comes back.
    Killed,
    /// SIGTERM, and it comes back.
    Terminated,
    /// It is stopped for 0.3 s, in which its kernel acknowledges, then killed, and comes back.
    Wedged,
    /// The link is cut, it dies behind it without a word, the link returns, and then it.
    HalfOpen,
    /// It is restarted every second.
    Restarted,
    /// It is away until everything was sent, for longer than the buffer lasts.
    LongOutage,
    /// The same, and the forwarder has a store from which it can fill the gap.
    Backfilled,
}

impl Fault {
    /// All of them; those that outlast the buffer are the last.
    pub const ALL: [Self; 7] = [
        Self::Killed,
        Self::Terminated,
        Self::Wedged,
        Self::HalfOpen,
        Self::Restarted,
        Self::LongOutage,
        Self::Backfilled,
    ];

    /// The fault in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Terminated => "terminated",
            Self::Wedged => "wedged",
            Self::HalfOpen => "half-open",
            Self::Restarted => "restarted",
            Self::LongOutage => "long-outage",
            Self::Backfilled => "backfilled",
        }
    }

    /// The relay is away for longer than the buffer lasts.
    pub fn outlasts_the_buffer(self) -> bool {
        matches!(self, Self::LongOutage | Self::Backfilled)
    }

    /// Lets it happen within a sending that lasts so long, and says how many times it did.
    pub(super) async fn strike(self, relay: &mut Relay, lasts: Duration) -> io::Result<u64> {
        if self.outlasts_the_buffer() {
            return Ok(1);
        }
        if self == Self::Restarted {
            let times = lasts.as_secs().max(1);
            for _ in 0..times {
                tokio::time::sleep(Duration::from_secs(1)).await;
                relay.stop().await?;
                relay.start().await?;
            }
            return Ok(times);
        }
        tokio::time::sleep(lasts / 3).await;
        match self {
            Self::Terminated => relay.stop().await?,
            Self::Wedged => {
                if let Some(process) = relay.process() {
                    process.pause()?;
                }
                tokio::time::sleep(Duration::from_millis(300)).await;
                relay.kill().await?;
            }
            Self::HalfOpen => {
                link("down").await?;
                relay.kill().await?;
                tokio::time::sleep(OUTAGE).await;
                link("up").await?;
            }
            _ => relay.kill().await?,
        }
        tokio::time::sleep(OUTAGE).await;
        relay.start().await?;
        Ok(1)
    }
}

/// Sets the loopback interface of the process's own network up or down.
pub(super) async fn link(state: &str) -> io::Result<()> {
    let status = Command::new("ip").args(["link", "set", "lo", state]).status().await?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("ip link set lo {state}: {status}"))),
    }
}
