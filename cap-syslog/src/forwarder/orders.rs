//! What the handle asks of the thread.

use std::sync::Arc;

use tokio::sync::watch;

use super::settings::Settings;
use crate::stop::Deadline;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Stop,
    Settings,
}

#[derive(Debug)]
pub(super) struct Orders {
    pub(super) stopping: watch::Receiver<Deadline>,
    pub(super) settings: watch::Receiver<Arc<Settings>>,
}

impl Orders {
    /// The deadline, once there is one.
    pub(super) fn stop(&mut self) -> Deadline {
        *self.stopping.borrow_and_update()
    }

    /// The settings in force.
    pub(super) fn settings(&mut self) -> Arc<Settings> {
        Arc::clone(&self.settings.borrow_and_update())
    }

    /// Ends with the next order that was not seen yet. The thread holds a sender of each kind, so neither channel closes.
    pub(super) async fn changed(&mut self) -> Order {
        tokio::select! {
            Ok(()) = self.stopping.changed() => Order::Stop,
            Ok(()) = self.settings.changed() => Order::Settings,
            else => std::future::pending().await,
        }
    }
}
