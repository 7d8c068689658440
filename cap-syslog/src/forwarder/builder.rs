//! Starting a forwarder.

use std::fmt;
use std::sync::Arc;

use cap_egress::Guard;

use super::Forwarder;
use crate::backfill::Backfill;
use crate::config::Config;
use crate::error::Error;
use crate::tcp::{self, Ask};

/// Starts a forwarder; made by [`Forwarder::builder`].
#[must_use = "`start` starts the forwarder"]
pub struct ForwarderBuilder {
    pub(super) config: Config,
    pub(super) guard: Guard,
    pub(super) store: Option<Arc<dyn Backfill>>,
    pub(super) ask: Ask,
}

impl ForwarderBuilder {
    pub(super) fn new(config: Config, guard: Guard) -> Self {
        Self {
            config,
            guard,
            store: None,
            ask: tcp::unacknowledged,
        }
    }

    /// Fills gaps from the caller's primary store of audit events. Default: none, and the relay gets a gap record.
    ///
    /// While a gap is being filled, the forwarder holds up to [`Config::buffer_size`] events from the store beside those in
    /// the buffer.
    pub fn backfill(mut self, store: impl Backfill) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Starts the forwarder on its own thread; the caller may be inside or outside a runtime. The thread connects, so a relay
    /// that is away delays no caller.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, or the system refuses a new thread.
    pub fn start(self) -> Result<Forwarder, Error> {
        Forwarder::start(self)
    }
}

impl fmt::Debug for ForwarderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwarderBuilder")
            .field("config", &self.config)
            .field("backfill", &self.store.is_some())
            .finish_non_exhaustive()
    }
}
