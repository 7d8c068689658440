//! An observation with the trace that it was made in.

use std::time::SystemTime;

/// The trace and span of an exemplar, as the bytes of W3C Trace Context's ids. The exposition
/// writes them in lower-case hexadecimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExemplarIds {
    /// The trace id, not all zero.
    pub trace_id: [u8; 16],
    /// The span id, not all zero.
    pub span_id: [u8; 8],
}

/// An observation with its trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exemplar {
    pub(crate) ids: ExemplarIds,
    pub(crate) value: f64,
    pub(crate) at: SystemTime,
}
