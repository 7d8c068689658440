//! What outlasts one connection of the forwarder's thread, and how a connection ended.

use super::gap_fill::GapFill;
use super::poison::PoisonSearch;
use super::shared::Shared;
use crate::relay::RelayError;

/// What the next connection takes over from the last one.
pub(super) struct SessionState<'a> {
    pub(super) gap_fill: GapFill<'a>,
    pub(super) poison: PoisonSearch,
    pub(super) last_datagram: LastDatagram,
}

/// Whether the relay's port was closed when the last datagram was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastDatagram {
    Accepted,
    Refused,
}

/// How a connection ended.
pub(super) enum End {
    /// This side closed it: to stop, to apply other settings, or to move to another relay.
    Finished,
    Broken(RelayError),
}

impl<'a> SessionState<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self {
            gap_fill: GapFill::new(shared),
            poison: PoisonSearch::new(),
            last_datagram: LastDatagram::Accepted,
        }
    }
}
