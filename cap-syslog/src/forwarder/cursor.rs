//! Where an event is: in which of the two buffers, and under which number.

/// Which buffer holds an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The buffer that callers enqueue into.
    Buffer,
    /// The events that the primary store returned for a gap.
    Store,
}

/// A position in one of the two buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) source: Source,
    pub(super) number: u64,
}

impl Cursor {
    /// Before every event.
    pub(super) const START: Self = Self::new(Source::Buffer, 0);

    pub(super) const fn new(source: Source, number: u64) -> Self {
        Self { source, number }
    }
}
