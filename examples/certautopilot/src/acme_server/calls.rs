//! Who called, and with which context.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, StatusCode};

use crate::acme::Endpoint;

const REMEMBERED: usize = 10_000;

/// One answered call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation.
    pub endpoint: Endpoint,
    /// The host name it was about, where it was about one.
    pub identifier: Option<String>,
    /// The answer.
    pub status: u16,
    /// The header of W3C Trace Context.
    pub traceparent: Option<String>,
    /// The header of W3C Baggage, which a third party should never get to see.
    pub baggage: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<VecDeque<Call>>);

impl Calls {
    pub(super) fn record(
        &self,
        endpoint: Endpoint,
        identifier: Option<String>,
        headers: &HeaderMap,
        status: StatusCode,
    ) {
        let header = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == REMEMBERED {
            calls.pop_front();
        }
        calls.push_back(Call {
            endpoint,
            identifier,
            status: status.as_u16(),
            traceparent: header("traceparent"),
            baggage: header("baggage"),
        });
    }

    pub(super) fn list(&self) -> Vec<Call> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().cloned().collect()
    }
}
