//! What the handles ask of the thread.

use std::sync::Arc;

use cap_egress::worker::{Deadline, StopSignal};
use tokio::sync::watch;

use crate::relay::Settings;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Stop,
    Reconfigure,
}

#[derive(Debug)]
pub(super) struct Control {
    pub(super) stop: StopSignal,
    pub(super) settings: watch::Receiver<Arc<Settings>>,
}

impl Control {
    /// The deadline of the shutdown, once there is one.
    pub(super) fn stop(&mut self) -> Deadline {
        self.stop.deadline()
    }

    /// The settings in force.
    pub(super) fn settings(&mut self) -> Arc<Settings> {
        Arc::clone(&self.settings.borrow_and_update())
    }

    /// Waits for the next command. The thread holds a sender of each channel, so neither channel
    /// closes.
    pub(super) async fn changed(&mut self) -> Command {
        tokio::select! {
            () = self.stop.changed() => Command::Stop,
            Ok(()) = self.settings.changed() => Command::Reconfigure,
            else => std::future::pending().await,
        }
    }
}
