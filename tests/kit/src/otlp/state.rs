//! The requests and spans so far, and the faults to come.

use super::fault::Fault;
use super::span::ReceivedSpan;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A request as it came in, whether or not its spans were accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpRequest {
    /// Path of the request.
    pub path: String,
    /// Headers, in lower case.
    pub headers: BTreeMap<String, String>,
    /// Bytes of the body.
    pub bytes: usize,
    /// `accepted`, the fault, or why the request was refused.
    pub outcome: String,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) spans: Vec<ReceivedSpan>,
    pub(super) requests: Vec<OtlpRequest>,
    pub(super) connections: usize,
}

/// The faults that are still to happen, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Arc<Mutex<VecDeque<Fault>>>);

impl Faults {
    pub(super) fn push(&self, fault: Fault) {
        self.lock().push_back(fault);
    }

    pub(super) fn pop(&self) -> Option<Fault> {
        self.lock().pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
